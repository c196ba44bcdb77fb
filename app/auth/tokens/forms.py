"""The form for a new token."""

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.fields import SelectChoice
from wtforms.validators import InputRequired

from app.auth.models import TOKEN_DAYS, TOKEN_DAYS_CHOICES, TOKEN_LABEL_LENGTH
from app.auth.rules import LABEL_LENGTH_MESSAGE
from app.auth.validators import own_password
from app.web.forms import BaseForm, TextLength


class TokenForm(BaseForm):
    """What a new token is for, how long it is valid, and the person's password."""

    label = StringField(
        _l("What is it for?"),
        [
            InputRequired(_l("Enter what the token is for.")),
            TextLength(-1, TOKEN_LABEL_LENGTH, LABEL_LENGTH_MESSAGE, str.strip),
        ],
        render_kw={"autocomplete": "off"},
    )
    days = SelectField(
        _l("Expires after"),
        choices=[
            SelectChoice(str(days), _l("%(days)d days", days=days)) for days in TOKEN_DAYS_CHOICES
        ],
        default=str(TOKEN_DAYS),
        validate_choice=False,
    )
    password = own_password()
