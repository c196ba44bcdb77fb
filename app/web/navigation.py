"""The navigation bar, to which each package adds its entries in init_app()."""

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from flask import Flask, current_app, request, url_for

from app.actor import Actor
from app.current import actor

EXTENSION = "gazetteer-navigation"


@dataclass(frozen=True)
class MenuItem:
    """An item of the bar or of the menu, which are sorted by `order`. `label` is a lazy
    translation; `visible` decides who sees it, by default everybody who is signed in. It is current
    on all pages of `blueprints`, or only on its endpoint if that is empty. `icon` is a name in
    Bootstrap Icons, for items of the menu. The search finds it by its label and by `words`. `count`
    is what is shown beside the label in the bar, empty for nothing; it differs for each request."""

    endpoint: str
    label: Any
    order: int
    visible: Callable[[Actor], bool] = lambda actor: actor.is_signed_in
    blueprints: tuple[str, ...] = ()
    icon: str = field(default="", kw_only=True)
    words: str = field(default="", kw_only=True)
    count: Callable[[], str] | None = field(default=None, kw_only=True)

    @property
    def url(self) -> str:
        return url_for(self.endpoint)

    @property
    def is_current(self) -> bool:
        """True if this request is for one of its pages."""
        if self.blueprints:
            return request.blueprint in self.blueprints
        return request.endpoint == self.endpoint


@dataclass
class Navigation:
    """The entries of the bar, of the menu under the person's name, and those that only the search
    finds; the endpoints of the start page, and for searching everything, signing in and choosing a
    password."""

    bar: list[MenuItem] = field(default_factory=list)
    menu: list[MenuItem] = field(default_factory=list)
    searched: list[MenuItem] = field(default_factory=list)
    home: str = ""
    search: str = ""
    sign_in: str = ""
    own_password: str = ""


def navigation(app: Flask) -> Navigation:
    """The navigation of an application."""
    found: Navigation = app.extensions.setdefault(EXTENSION, Navigation())
    return found


def add_to_bar(app: Flask, entry: MenuItem) -> None:
    insort(navigation(app).bar, entry, key=attrgetter("order"))


def add_to_menu(app: Flask, entry: MenuItem) -> None:
    insort(navigation(app).menu, entry, key=attrgetter("order"))


def add_to_search(app: Flask, entry: MenuItem) -> None:
    insort(navigation(app).searched, entry, key=attrgetter("order"))


def visible_entries(who: Actor, entries: list[MenuItem]) -> list[MenuItem]:
    return [entry for entry in entries if entry.visible(who)]


def bar_entries() -> list[MenuItem]:
    """The entries that the actor sees."""
    return visible_entries(actor(), navigation(current_app).bar)


def menu_entries() -> list[MenuItem]:
    """The entries that the actor sees."""
    return visible_entries(actor(), navigation(current_app).menu)


def entry_count(entry: MenuItem) -> str:
    """What is shown beside an entry of the bar now."""
    return entry.count() if entry.count else ""


def current_list() -> MenuItem | None:
    """The list above the page, by its entry in the bar or the menu; None for a list itself, and
    where there is none."""
    blueprint = f"{request.blueprint}."
    entries = (*bar_entries(), *menu_entries())
    current = next(
        (each for each in entries if each.is_current or each.endpoint.startswith(blueprint)), None
    )
    return current if current and current.url != request.path else None


def searched_entries() -> list[MenuItem]:
    """The pages that the search names to the actor."""
    others = visible_entries(actor(), navigation(current_app).searched)
    return [*bar_entries(), *menu_entries(), *others]


def home_url() -> str:
    """The start page, for example after signing in."""
    return url_for(navigation(current_app).home)


def search_url() -> str:
    """The page that searches everything."""
    return url_for(navigation(current_app).search)


def sign_in_url(**args: Any) -> str:
    return url_for(navigation(current_app).sign_in, **args)


def own_password_url(**args: Any) -> str:
    """The page on which people choose their own password."""
    return url_for(navigation(current_app).own_password, **args)


def init_app(app: Flask) -> None:
    app.jinja_env.globals.update(
        bar_entries=bar_entries,
        current_list=current_list,
        entry_count=entry_count,
        home_url=home_url,
        menu_entries=menu_entries,
        search_url=search_url,
        sign_in_url=sign_in_url,
    )
