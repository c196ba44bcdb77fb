"""The form that brings in a file."""

from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired


class ImportForm(FlaskForm):  # type: ignore[misc]
    """One file; what is in it is judged line by line."""

    file = FileField(_l("CSV file"), [FileRequired(_l("Choose a CSV file."))])
