"""Handling of forms: validate, call the service, show its errors beside the fields."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

from flask import Response, after_this_request, g, request
from flask_babel import get_translations
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from werkzeug.datastructures import CombinedMultiDict, MultiDict
from wtforms import FileField
from wtforms.validators import Length, ValidationError

from app.database import failures
from app.errors import DomainError, Forbidden, Invalid, NotFound, Unauthorized
from app.text import Message, join_sentences
from app.web.client import shows_pages

T = TypeVar("T")

# Errors that are shown as pages, not as messages in the form.
PAGES: tuple[type[DomainError], ...] = (Forbidden, NotFound, Unauthorized)

# The messages of WTForms that our fields and validators show, named here so that
# `make translations` finds them.
WTFORMS_TEXTS = (
    _l("Not a valid choice."),
    _l("Invalid Choice: could not coerce."),
    _l("Not a valid integer value."),
    _l("This field is required."),
)


class FormTranslations:
    """Translates WTForms' messages into the language of the request; WTForms adds the values."""

    @cached_property
    def translations(self) -> Any:
        """Looked up once for a form: each of its fields without a label asks for one."""
        return get_translations()

    def gettext(self, text: str) -> Any:
        return self.translations.ugettext(text)

    def ngettext(self, singular: str, plural: str, n: int) -> Any:
        return self.translations.ungettext(singular, plural, n)


class BaseForm(FlaskForm):  # type: ignore[misc]
    """The base of all forms. web/posts/csrf.py has checked the CSRF token before the view, except
    for scripts, which need none."""

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        csrf = False

        def get_translations(self, _form: Any) -> FormTranslations:
            return FormTranslations()

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """The page of a draft has what was typed: see web/posts/drafts.py. A file that was sent
            under the name of a text field is not its text."""
            if "draft" in g:
                return MultiDict(g.draft.pairs)
            data = super().wrap_formdata(form, formdata)
            if isinstance(data, CombinedMultiDict) and not any(
                issubclass(field.field_class, FileField) for _name, field in form._unbound_fields
            ):
                return request.form
            return data


class TextLength(Length):  # type: ignore[misc]
    """The length of a text, with the message of a rule. `stored` turns what was typed into the text
    that is stored, whose length counts. With `low` the field is required."""

    def __init__(
        self, low: int, high: int, message: Message, stored: Callable[[str], str] = str
    ) -> None:
        super().__init__(low, high, message)
        if low > 0:
            self.field_flags["required"] = True
        self.stored = stored

    def __call__(self, form: Any, field: Any) -> None:
        if not self.min <= len(self.stored(field.data or "")) <= self.max:
            raise ValidationError(str(self.message))


@dataclass(frozen=True)
class Submission(Generic[T]):
    """The outcome of a form. If it was submitted and accepted, `done` is True and `result` is what
    the service returned. Otherwise the form is shown with this status. `refusal` is an error of the
    types that the view handles itself."""

    done: bool = False
    result: T = None  # type: ignore[assignment]
    status: int = 200
    refusal: DomainError | None = None


def submit(
    form: Any,
    call: Callable[[], T],
    special: tuple[type[DomainError], ...] = (),
    also: Callable[[], object] | None = None,
) -> Submission[T]:
    """Handle a form: show it on GET; on POST validate it and call the service with `call`, unless
    its token was refused. Errors of the service are added to the fields that they name, except
    those of the types in `special`, which the view handles, and in PAGES, which are raised for an
    error page. A script that cannot read a form gets every error as JSON. `also` is a check of the
    service for a form that is wrong by itself, so that everything is reported at once."""
    if request.method != "POST":
        return Submission()
    as_page = shows_pages()
    if problem := g.get("form_problem"):
        if not as_page:
            raise Invalid(problem)
        form.form_errors.append(str(problem))
        return Submission(status=422)
    if not form.validate():
        return Submission(status=refuse_invalid(form, also, as_page))
    try:
        return Submission(done=True, result=call())
    except DomainError as error:
        if not as_page:
            raise named_as_sent(form, error) from None
        add_headers(error)
        if isinstance(error, special):
            return Submission(status=error.status, refusal=error)
        if isinstance(error, PAGES):
            raise
        return Submission(status=add_form_errors(form, error))
    except failures.DATABASE_ERRORS as error:
        if not as_page:
            raise
        refusal = failures.refuse(error, is_change=True)
        add_headers(refusal)
        return Submission(status=add_form_errors(form, refusal))


def refuse_invalid(form: Any, also: Callable[[], object] | None, as_page: bool) -> int:
    """The status of a form that is wrong by itself; a script gets all errors."""
    other = other_errors(form, also)
    if not as_page:
        fields = {name: join_sentences(texts) for name, texts in form.errors.items() if name}
        raise named_as_sent(form, Invalid(fields=fields))
    add_headers(other)
    return other.status


def add_headers(error: DomainError) -> None:
    """Give the response the headers of an error, such as Retry-After, whatever the view draws."""

    @after_this_request
    def add(response: Response) -> Response:
        response.headers.update(error.headers)
        return response


def other_errors(form: Any, also: Callable[[], object] | None) -> DomainError:
    """Call a check of the service, if there is one, and add what it refuses to the fields that have
    no error yet; returns the error that has the status of the response."""
    try:
        if also:
            also()
    except Invalid as error:
        fields = {name: text for name, text in error.fields.items() if not form[name].errors}
        if fields:
            add_form_errors(form, Invalid(fields=fields))
    except PAGES:
        raise
    except DomainError as error:
        add_form_errors(form, error)
        return error
    return Invalid()


def named_as_sent(form: Any, error: DomainError) -> DomainError:
    """The error, with the names that its fields have in the request."""
    if isinstance(error, Invalid):
        error.fields = {
            form[name].name if name in form else name: text for name, text in error.fields.items()
        }
    return error


def add_form_errors(form: Any, error: DomainError) -> int:
    """Add an error to the fields that it names, or to the whole form; returns its status."""
    fields = error.fields if isinstance(error, Invalid) else {}
    for name, text in fields.items():
        if name in form:
            form[name].errors = [*form[name].errors, str(text)]
    if not fields or any(name not in form for name in fields):
        form.form_errors.append(error.message)
    return error.status
