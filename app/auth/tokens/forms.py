"""The form for a new token."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import InputRequired

from app.auth.models import TOKEN_LABEL_LENGTH
from app.auth.rules import LABEL_LENGTH_MESSAGE
from app.auth.validators import TextLength
from app.web.forms import BaseForm


class TokenForm(BaseForm):
    """What a new token is for."""

    label = StringField(
        _l("What is it for?"),
        [
            InputRequired(_l("Enter what the token is for.")),
            TextLength(-1, TOKEN_LABEL_LENGTH, LABEL_LENGTH_MESSAGE, str.strip),
        ],
        render_kw={"autocomplete": "off"},
    )
