"""The form of the page "Session"."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField
from wtforms.validators import DataRequired, Length

from app.session_page.services import KEY_LENGTH, VALUE_LENGTH, clean_key
from app.web.forms import BaseForm

KEY_RULE = _l("A key has 1 to %(n)d characters.", n=KEY_LENGTH)
VALUE_RULE = _l("A value has at most %(n)d characters.", n=VALUE_LENGTH)


class ValueForm(BaseForm):
    """A key and its value; the value may be empty."""

    key = StringField(
        _l("Key"),
        [DataRequired(KEY_RULE), Length(max=KEY_LENGTH, message=KEY_RULE)],
        filters=[clean_key],
    )
    value = StringField(_l("Value"), [Length(max=VALUE_LENGTH, message=VALUE_RULE)])
