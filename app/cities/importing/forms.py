"""The form that imports a file."""

from typing import Any

from flask import request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField, FileRequired
from wtforms import FieldList, HiddenField, IntegerField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from app.cities.fields import CSV_FIELDS
from app.cities.importing.reading.choices import Reading, columns_by_place
from app.text import parse_integer
from app.textfiles.records import MOST_COLUMNS
from app.web.forms import BaseForm
from app.workbooks.child import MOST_SHEETS


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


class ReadingForm(BaseForm):
    """How a file is to be read. The encoding, the separator and the sheet are those of the page;
    links choose others."""

    codec = HiddenField()
    separator = HiddenField()
    sheet = HiddenField()
    first = IntegerField(_l("First line with a city"))
    columns = FieldList(
        SelectField(
            choices=[
                SelectChoice("", _l("not imported")),
                *(SelectChoice(each.name, each.label) for each in CSV_FIELDS),
            ]
        ),
        max_entries=MOST_COLUMNS,
    )

    @property
    def reading(self) -> Reading:
        """What was chosen; Invalid if a field was chosen for two columns."""
        sheet = parse_integer(self.sheet.data or "", 0, MOST_SHEETS)
        columns = columns_by_place(self.columns.data)
        codec, separator = self.codec.data or "", self.separator.data or ""
        return Reading(codec, separator, sheet, self.first.data or 0, columns)
