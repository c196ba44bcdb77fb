"""What all forms share."""

from werkzeug.datastructures import MultiDict

from app.auth.forms import LoginForm
from app.config import ROOT
from app.web.forms import BaseForm


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
