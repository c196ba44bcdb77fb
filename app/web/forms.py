"""What views with forms share: the round trip of a form, and refusals beside its fields."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from flask import request

from app.errors import DomainError, Forbidden, Invalid, NotFound, Unauthorized

T = TypeVar("T")

# Refusals that are pages of their own, rather than messages in the form.
PAGES: tuple[type[DomainError], ...] = (Forbidden, NotFound, Unauthorized)


@dataclass(frozen=True)
class Submission(Generic[T]):
    """What became of a form. `done` is True if it was sent and accepted; `result` is then what
    the service returned. Otherwise the form is shown, with this status and these headers."""

    done: bool = False
    result: T | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


def submit(
    form: Any, call: Callable[[], T], special: tuple[type[DomainError], ...] = ()
) -> Submission[T]:
    """Handle a form: on GET it is shown; on POST it is validated and `call` calls the service. A
    refusal is written beside the fields that it names, with its status. Refusals of the types
    PAGES and `special` are raised, for the error page or for the view."""
    if request.method != "POST":
        return Submission()
    if not form.validate():
        return Submission(status=422)
    try:
        return Submission(done=True, result=call())
    except (*PAGES, *special):
        raise
    except DomainError as error:
        return Submission(status=add_form_errors(form, error), headers=error.headers)


def add_form_errors(form: Any, error: DomainError) -> int:
    """Write a refusal beside the fields that it names, the rest above the form; returns its
    status."""
    fields = error.fields if isinstance(error, Invalid) else {}
    for name, text in fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, str(text)]
    if not fields or any(name not in form for name in fields):
        form.form_errors.append(error.message)
    return error.status
