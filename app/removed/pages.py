"""The pages of removed things: their list, and the question before it is emptied."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.actor import Actor
from app.current import actor, settings
from app.database.cursor import Cursor
from app.database.keyset import SEARCH_LENGTH, Page
from app.removed.forms import EmptyForm
from app.removed.listing import RemovedListing
from app.times import now
from app.web.forms import submit
from app.web.listings import Filter, ListAddress, read_words
from app.web.notices import Notice

Select = Callable[[Actor, Any, Cursor], tuple[Page[Any], int | None]]


def list_address(endpoint: str, kind: type[RemovedListing]) -> ListAddress[RemovedListing]:
    return ListAddress(endpoint, kind, {"search": Filter("q", read_words(SEARCH_LENGTH))})


def list_page(address: ListAddress[Any], select: Select, template: str, **more: Any) -> str:
    """The page of a list that the query `select` reads."""
    listing = address.read(request.args)
    page, total = select(actor(), listing, address.read_cursor(listing, request.args))
    return render_template(
        template,
        listing=listing,
        list=address.show(listing, page, total),
        days=settings().removed_days,
        search_length=SEARCH_LENGTH,
        **more,
    )


def empty_page(
    address: ListAddress[RemovedListing],
    count: Callable[[Actor], int],
    empty: Callable[[Actor, datetime], int],
    done: Callable[[int], str],
    template: str,
) -> ResponseReturnValue:
    """Ask, saying how many there are, or empty the list; `done` says how many were deleted."""
    form = EmptyForm()
    sent = submit(form, lambda: empty(actor(), form.moment))
    if sent.done:
        Notice(done(sent.result)).show()
        return redirect(url_for(address.endpoint), 303)
    form.until.data = now().isoformat()
    return render_template(template, form=form, count=count(actor())), sent.status
