"""The bar: each package adds its own entries, in its init_app()."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app, request, url_for

from app.actor import Actor
from app.current import actor

EXTENSION = "gazetteer-navigation"


@dataclass(frozen=True)
class Entry:
    """One entry. `label` is translated when it is drawn; `order` decides its place; `visible` says
    to whom it is shown. It is the current one on every page of `blueprints`, or, without any, on
    its own endpoint alone. `icon` is a name of Bootstrap Icons; entries of the menu have one."""

    endpoint: str
    label: Any
    order: int
    visible: Callable[[Actor], bool]
    blueprints: tuple[str, ...] = ()
    icon: str = ""

    @property
    def url(self) -> str:
        """Where it leads."""
        return url_for(self.endpoint)

    @property
    def is_current(self) -> bool:
        """True on its own pages."""
        if self.blueprints:
            return request.blueprint in self.blueprints
        return request.endpoint == self.endpoint


@dataclass
class Navigation:
    """The entries of the bar and those of the menu under the person's name, and the endpoints
    where one signs in and chooses a password of one's own."""

    bar: list[Entry] = field(default_factory=list)
    menu: list[Entry] = field(default_factory=list)
    sign_in: str = ""
    own_password: str = ""


def navigation(app: Flask) -> Navigation:
    """The entries of an application."""
    found: Navigation = app.extensions.setdefault(EXTENSION, Navigation())
    return found


def add_to_bar(app: Flask, entry: Entry) -> None:
    """Add an entry to the bar."""
    insert(navigation(app).bar, entry)


def add_to_menu(app: Flask, entry: Entry) -> None:
    """Add an entry to the person's menu."""
    insert(navigation(app).menu, entry)


def insert(entries: list[Entry], entry: Entry) -> None:
    """Insert an entry in its place."""
    entries.append(entry)
    entries.sort(key=lambda each: each.order)


def bar_entries() -> list[Entry]:
    """What the bar shows to whoever asks."""
    return [entry for entry in navigation(current_app).bar if entry.visible(actor())]


def menu_entries() -> list[Entry]:
    """What the person's menu shows."""
    return [entry for entry in navigation(current_app).menu if entry.visible(actor())]


def home_url() -> str:
    """Where somebody goes who names no page, after signing in for example: the first entry."""
    return navigation(current_app).bar[0].url


def sign_in_url(**args: Any) -> str:
    """Where one signs in."""
    return url_for(navigation(current_app).sign_in, **args)


def own_password_url() -> str:
    """Where one chooses a password of one's own."""
    return url_for(navigation(current_app).own_password)


def init_app(app: Flask) -> None:
    """Let the bar's template ask for its entries."""
    app.jinja_env.globals.update(
        bar_entries=bar_entries,
        menu_entries=menu_entries,
        sign_in_url=sign_in_url,
    )
