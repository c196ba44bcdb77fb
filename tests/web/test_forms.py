"""What all forms share."""

import ast
from inspect import getsource

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import AnyOf, NumberRange

from app.auth.forms import LoginForm
from app.config import ROOT
from app.text import N_
from app.web.forms import WTFORMS_TEXTS, BaseForm


def test_forms_have_one_base():
    for path in (ROOT / "app").rglob("*.py"):
        if path != ROOT / "app" / "web" / "forms.py":
            assert "FlaskForm" not in path.read_text(), path


def test_forms_leave_the_csrf_token_to_the_hook(app):
    forms = BaseForm.__subclasses__()
    assert {"LoginForm", "CityForm", "SetupForm", "ValueForm"} < {form.__name__ for form in forms}
    with app.test_request_context(method="POST"):
        for form in forms:
            assert "csrf_token" not in form(), form


def test_form_without_a_csrf_token_of_its_own_is_valid(app):
    with app.test_request_context(method="POST"):
        assert LoginForm(MultiDict({"name": "Ada", "password": "x"})).validate()


class ExampleForm(BaseForm):
    """Validators with messages of ours, and without."""

    own_range = IntegerField(validators=[NumberRange(0, 5000, N_("At most %(max)s."))])
    own_number = IntegerField(validators=[NumberRange(0, 9, N_("At most %(n)s.", n=5000))])
    own_choice = StringField(validators=[AnyOf(["a"], N_("Unknown encoding"))])
    choice = SelectField(choices=["a", "b"])


@pytest.mark.parametrize(
    ("language", "messages"),
    [
        (
            "en",
            ["At most 5,000.", "At most 5,000.", "Unknown encoding", "Not a valid choice."],
        ),
        (
            "zh",
            ["At most 5,000.", "At most 5,000.", "Unknown encoding", "选项无效。"],
        ),
    ],
)  # fmt: skip
def test_messages_of_validators_are_in_the_language_of_the_page(app, language, messages):
    sent = {
        "own_range": "6000", "own_number": "10", "own_choice": "b", "choice": "c",
    }  # fmt: skip
    with app.test_request_context(method="POST", headers={"Accept-Language": language}):
        form = ExampleForm(MultiDict(sent))
        assert not form.validate()
        assert [str(text) for texts in form.errors.values() for text in texts] == messages


def forms_of(base):
    """The classes of our forms."""
    for form in base.__subclasses__():
        if form.__module__.startswith("app."):
            yield form
        yield from forms_of(form)


def texts_of(cls):
    """The texts that the code of a class of WTForms translates, singular forms only."""
    sources = [getsource(each) for each in cls.__mro__ if each.__module__.startswith("wtforms")]
    calls = (node for source in sources for node in ast.walk(ast.parse(source)))
    return {
        call.args[0].value
        for call in calls
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
        if call.func.attr in ("gettext", "ngettext") and isinstance(call.args[0], ast.Constant)
    }


def test_the_texts_of_wtforms_that_our_forms_show_are_in_the_catalogue(app):
    """Those of fields, and of validators that were given no message of their own."""
    for_programmers = {"Choices cannot be None.", "Invalid field name '%s'."}
    shown = set()
    with app.test_request_context():
        for form in forms_of(BaseForm):
            for field in form():
                shown |= texts_of(type(field))
                for validator in field.validators:
                    if not getattr(validator, "message", ""):
                        shown |= texts_of(type(validator))
    assert {text._args[0] for text in WTFORMS_TEXTS} == shown - for_programmers
