"""The form that imports a file."""

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms.validators import ValidationError

from app.web.forms import BaseForm


def one_file(_form: Any, _field: Any) -> None:
    """Refuse a form with several files, of which only one would be read."""
    sent = [file for _name, file in request.files.items(multi=True) if file.filename]
    if len(sent) > 1:
        raise ValidationError(
            _("Only one file can be imported at a time; %(count)s were sent.", count=len(sent))
        )


class ImportForm(BaseForm):
    """One file; its content is compared with the register line by line."""

    file = FileField(
        _l("CSV or Excel file"), [FileRequired(_l("Choose a CSV or Excel file.")), one_file]
    )
