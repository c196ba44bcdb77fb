"""The form that imports a file."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired


class ImportForm(FlaskForm):  # type: ignore[misc]
    """One file; its content is compared with the register line by line."""

    class Meta:
        csrf = False  # hooks.py has checked it, and knows that a script's token is proof enough

    file = FileField(_l("CSV file"), [FileRequired(_l("Choose a CSV file."))])
