"""Parts of forms: a field, and validators from the limits in models.py. Forms of other packages use
them too."""

from functools import partial

from flask_babel import lazy_gettext as _l
from wtforms import PasswordField
from wtforms.validators import InputRequired

from app.auth.models import NAME_LENGTH, PASSWORD_LONGEST, PASSWORD_SHORTEST
from app.auth.passwords import PASSWORD_LENGTH_MESSAGE
from app.auth.rules import NAME_LENGTH_MESSAGE
from app.text import compose
from app.web.forms import TextLength


def name_length() -> TextLength:
    """Checks the name of a person; InputRequired or the service refuses an empty one."""
    return TextLength(-1, NAME_LENGTH, NAME_LENGTH_MESSAGE, partial(compose, most=NAME_LENGTH))


def own_password() -> PasswordField:
    """The field for one's own password, typed again."""
    return PasswordField(
        _l("Current password"),
        [InputRequired(_l("Enter your current password."))],
        render_kw={"autocomplete": "current-password"},
    )


def password_length() -> TextLength:
    return TextLength(PASSWORD_SHORTEST, PASSWORD_LONGEST, PASSWORD_LENGTH_MESSAGE)


# Without maxlength: a browser would cut off what is pasted, without showing it.
NEW_PASSWORD = {"autocomplete": "new-password", "maxlength": False}
