"""The forms for signing in, passwords and people."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, HiddenField, PasswordField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import EqualTo, InputRequired

from app.actor import Role
from app.auth.sessions.services import OTHERS
from app.auth.validators import NEW_PASSWORD, name_length, own_password, password_length
from app.web.forms import BaseForm

ROLE_NAMES = {Role.VIEWER: _l("Viewer"), Role.EDITOR: _l("Editor"), Role.ADMIN: _l("Administrator")}
ROLE_CHOICES = [
    SelectChoice(Role.VIEWER.value, _l("Viewer: reads cities and files")),
    SelectChoice(Role.EDITOR.value, _l("Editor: also changes cities and files")),
    SelectChoice(Role.ADMIN.value, _l("Administrator: also manages people and reads the history")),
]


class LoginForm(BaseForm):
    """Name and password, which are checked together: neither has a limit of its own."""

    name = StringField(
        _l("Name"), [InputRequired(_l("Enter your name."))], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Enter your password."))],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class PasswordForm(BaseForm):
    """The current password, and the new one twice."""

    current = own_password()
    password = PasswordField(
        _l("New password"),
        [InputRequired(_l("Enter a new password.")), password_length()],
        render_kw=NEW_PASSWORD,
    )
    again = PasswordField(
        _l("New password again"),
        [EqualTo("password", _l("The two new passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )
    revoke_tokens = BooleanField(default=True)
    next = HiddenField()


class SessionsForm(BaseForm):
    """Which sessions end, and the person's password. The service knows which there are."""

    which = RadioField(choices=[OTHERS], default=OTHERS, validate_choice=False)
    password = own_password()


class RoleForm(BaseForm):
    """A person's role. The service checks it."""

    role = RadioField(
        _l("Role"), choices=ROLE_CHOICES, default=Role.VIEWER.value, validate_choice=False
    )


class PersonForm(RoleForm):
    """Name and role of a new person."""

    name = StringField(
        _l("Name"),
        [InputRequired(_l("Enter a name.")), name_length()],
        render_kw={"autocomplete": "off"},
    )
