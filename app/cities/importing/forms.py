"""The form that imports a file."""

from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired

from app.web.forms import BaseForm


class ImportForm(BaseForm):
    """One file; its content is compared with the register line by line."""

    file = FileField(_l("CSV file"), [FileRequired(_l("Choose a CSV file."))])
