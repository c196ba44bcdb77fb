"""The shape of the form that makes a token."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import StringField
from wtforms.validators import InputRequired, Length

from app.auth.models import TOKEN_LABEL_LENGTH


class TokenForm(FlaskForm):  # type: ignore[misc]
    """What the token is for."""

    label = StringField(
        _l("What is it for?"),
        [
            InputRequired(_l("Say what the token is for.")),
            Length(max=TOKEN_LABEL_LENGTH, message=_l("A label has at most %(max)d characters.")),
        ],
    )
