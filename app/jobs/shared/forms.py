"""The forms of shared results."""

from flask_babel import lazy_gettext as _l
from wtforms import StringField, TextAreaField
from wtforms.validators import InputRequired

from app.jobs.shared.rules import NO_NUMBER, NO_TEXT
from app.web.forms import BaseForm


class SumForm(BaseForm):
    """Two numbers."""

    a = StringField(_l("First number"), [InputRequired(NO_NUMBER)])
    b = StringField(_l("Second number"), [InputRequired(NO_NUMBER)])


class DigestForm(BaseForm):
    """A text."""

    text = TextAreaField(_l("Text"), [InputRequired(NO_TEXT)], render_kw={"rows": 10})
