"""The frame of every page: the end of its head, the bar, and the list of keyboard shortcuts.

Each is drawn once for all that it shows, and stored in the process: drawing them took half of the
time of a page. In the bar, what is one person's or one page's is a slot, which is filled for each
request: so a name, a token or an address is never stored.
"""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import NamedTuple

from flask import Flask, g, render_template
from markupsafe import Markup, escape

from app.current import actor, settings
from app.web.client import colour_scheme
from app.web.formatting import texts
from app.web.navigation import MenuItem, bar_entries, entry_count, menu_entries
from app.web.posts import csrf
from app.web.urls import this_page

# Begins what is drawn in the place of a slot; no text contains it by chance.
SLOT = f"slot-{secrets.token_hex(16)}-"


class Entry(NamedTuple):
    """What the bar shows of an entry."""

    endpoint: str
    is_current: bool


class Bar(NamedTuple):
    """What decides how a bar is drawn, besides its slots. `menu` is None for visitors; `forms` is
    False on a page without a session; `returns` leads whoever signs out back to the page."""

    site_name: str
    locale: str
    colour_scheme: str
    entries: tuple[Entry, ...]
    menu: tuple[Entry, ...] | None
    forms: bool
    sign_in: bool
    returns: bool


@dataclass(frozen=True)
class Outline:
    """A text to be formatted with `fills`, which return its parts in the current request."""

    text: str
    slots: Mapping[str, Callable[[], str]]

    def fill(self) -> Markup:
        parts = {name: escape(fill()) for name, fill in self.slots.items()}
        return Markup(self.text % parts)  # noqa: S704 - our own template, and escaped parts


class Slots(dict[str, Callable[[], str]]):
    """Slots in a template, by what is drawn in their places."""

    def add(self, fill: Callable[[], str]) -> str:
        """What to draw in the place of what `fill` returns."""
        drawn = f"{SLOT}{len(self)}-"
        self[drawn] = fill
        return drawn

    def outline(self, text: str) -> Outline:
        """The outline of a text that was drawn with these slots, of which it may lack some."""
        text, fills = text.replace("%", "%%"), {}
        for drawn, fill in self.items():
            if drawn in text:
                text = text.replace(drawn, f"%({drawn})s")
                fills[drawn] = fill
        return Outline(text, fills)


class PersonSlots(NamedTuple):
    """Slots in the place of a person."""

    name: str
    initial: str


def navigation_bar(forms: bool, sign_in: bool) -> Markup:
    """The bar of this request."""
    return draw_bar(current_bar(forms, sign_in)).fill()


def current_bar(forms: bool, sign_in: bool) -> Bar:
    """What decides how the bar of this request is drawn; `sign_in` offers visitors to sign in."""
    return Bar(
        settings().site_name,
        texts().name,
        colour_scheme(),
        shown(bar_entries()),
        shown(menu_entries()) if actor().is_signed_in else None,
        forms,
        sign_in,
        bool(g.get("no_draft")),
    )


def shown(entries: list[MenuItem]) -> tuple[Entry, ...]:
    return tuple(Entry(entry.endpoint, entry.is_current) for entry in entries)


@lru_cache(maxsize=256)
def draw_bar(bar: Bar) -> Outline:
    """The bar as in this request, with slots."""
    slots = Slots()
    token = slots.add(csrf.session_token)
    person = PersonSlots(
        slots.add(lambda: actor().name), slots.add(lambda: actor().name[:1].upper())
    )
    text = render_template(
        "_bar.html",
        bar=bar,
        person=None if bar.menu is None else person,
        csrf_token=lambda: token,
        signed=cache(lambda url: slots.add(partial(csrf.signed, url))),
        entry_count=lambda entry: slots.add(partial(entry_count, entry)),
        this_page=slots.add(this_page),
    )
    return slots.outline(text)


@cache
def frame_head(_locale: str, _colour_scheme: str) -> Markup:
    """The end of the head, which is the same on all pages in one language and colour scheme."""
    return Markup(render_template("_head.html"))  # noqa: S704 - our own template


@cache
def keyboard_shortcuts(_locale: str) -> Markup:
    """The list, which is the same on all pages in one language."""
    return Markup(render_template("_keys.html"))  # noqa: S704 - our own template


def init_app(app: Flask) -> None:
    for function in (frame_head, keyboard_shortcuts, navigation_bar):
        app.jinja_env.globals[function.__name__] = function
