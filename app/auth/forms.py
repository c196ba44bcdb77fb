"""The shape of sign-in, password and people forms."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, RadioField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import EqualTo, InputRequired, Length

from app.actor import Role
from app.auth.models import TOKEN_LABEL_LENGTH

ROLE_NAMES = {Role.VIEWER: _l("Viewer"), Role.EDITOR: _l("Editor"), Role.ADMIN: _l("Administrator")}
ROLE_CHOICES = [
    SelectChoice(Role.VIEWER.value, _l("Viewer: reads cities and files")),
    SelectChoice(Role.EDITOR.value, _l("Editor: also changes cities and files")),
    SelectChoice(Role.ADMIN.value, _l("Administrator: also looks after people")),
]


class LoginForm(FlaskForm):  # type: ignore[misc]
    """Name and password; both are checked together, so neither has a rule of its own."""

    name = StringField(
        _l("Name"), [InputRequired(_l("Type your name."))], render_kw={"autocomplete": "username"}
    )
    password = PasswordField(
        _l("Password"),
        [InputRequired(_l("Type your password."))],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """The present password and the new one twice."""

    current = PasswordField(
        _l("Current password"),
        [InputRequired(_l("Type your current password."))],
        render_kw={"autocomplete": "current-password"},
    )
    password = PasswordField(
        _l("New password"),
        [InputRequired(_l("Type a new password."))],
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        _l("New password again"),
        [EqualTo("password", _l("The two new passwords differ."))],
        render_kw={"autocomplete": "new-password"},
    )


class RoleForm(FlaskForm):  # type: ignore[misc]
    """What somebody may do; the service says which roles there are."""

    role = RadioField(_l("Role"), choices=ROLE_CHOICES, validate_choice=False)


class PersonForm(FlaskForm):  # type: ignore[misc]
    """Somebody new; the first password is the server's."""

    name = StringField(
        _l("Name"), [InputRequired(_l("Type a name."))], render_kw={"autocomplete": "off"}
    )
    role = RadioField(
        _l("Role"), choices=ROLE_CHOICES, default=Role.VIEWER.value, validate_choice=False
    )


class TokenForm(FlaskForm):  # type: ignore[misc]
    """What the token is for."""

    label = StringField(
        _l("What is it for?"),
        [
            InputRequired(_l("Say what the token is for.")),
            Length(max=TOKEN_LABEL_LENGTH, message=_l("A label has at most %(max)d characters.")),
        ],
    )
