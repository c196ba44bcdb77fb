"""What all forms share."""

import ast
from importlib.util import find_spec
from pathlib import Path

import pytest
from werkzeug.datastructures import MultiDict
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import AnyOf, InputRequired, Length, NumberRange

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
    range = IntegerField(validators=[NumberRange(0, 5)])
    number = IntegerField()
    choice = SelectField(choices=["a", "b"])
    short = StringField(validators=[Length(-1, 2)])
    required = StringField(validators=[InputRequired()])


@pytest.mark.parametrize(
    ("language", "messages"),
    [
        (
            "en",
            ["At most 5,000.", "At most 5,000.", "Unknown encoding",
             "Number must be between 0 and 5.", "Not a valid integer value.",
             "Not a valid choice.", "Field cannot be longer than 2 characters.",
             "This field is required."],
        ),
        (
            "zh",
            ["At most 5,000.", "At most 5,000.", "Unknown encoding",
             "数值必须在 0 到 5 之间。", "请输入整数。", "选项无效。", "最多 2 个字符。",
             "请填写此项。"],
        ),
    ],
)  # fmt: skip
def test_messages_of_validators_are_in_the_language_of_the_page(app, language, messages):
    sent = {
        "own_range": "6000", "own_number": "10", "own_choice": "b", "range": "6", "number": "x",
        "choice": "c", "short": "abc",
    }  # fmt: skip
    with app.test_request_context(method="POST", headers={"Accept-Language": language}):
        form = ExampleForm(MultiDict(sent))
        assert not form.validate()
        assert [str(text) for texts in form.errors.values() for text in texts] == messages


def texts_of_wtforms():
    """The texts that its validators and fields translate, singular forms only."""
    folder = Path(find_spec("wtforms").origin).parent
    calls = (
        node
        for path in (folder / "validators.py", *folder.glob("fields/*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("gettext", "ngettext") and isinstance(node.args[0], ast.Constant)
    )
    return {call.args[0].value for call in calls}


def test_every_text_of_wtforms_is_in_the_catalogue():
    for_programmers = {"Choices cannot be None.", "Invalid field name '%s'."}
    assert {text._args[0] for text in WTFORMS_TEXTS} == texts_of_wtforms() - for_programmers
