"""The form of an export that a job makes: its format, and the filters and the order of the list."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectField, StringField
from wtforms.fields import SelectChoice

from app.cities.exporting.formats import FORMATS, XLSX
from app.cities.models import TEXT_LENGTH
from app.database.keyset import SEARCH_LENGTH
from app.web.forms import BaseForm

SORTS = {
    "id": _l("ID"),
    "city": _l("City"),
    "province": _l("Province"),
    "users": _l("Users"),
    "changed": _l("Changed"),
}
ORDERS = {"asc": _l("Ascending"), "desc": _l("Descending")}

CHOSEN = {"required": True}  # a list always has a choice; one that is not sent is the first


class ExportForm(BaseForm):
    """All fields but the first have the names of the query arguments of the list."""

    format = SelectField(
        _l("Format"),
        choices=[SelectChoice(name, each.label) for name, each in FORMATS.items()],
        default=XLSX,
        render_kw=CHOSEN,
    )
    q = StringField(_l("Search province or city"), render_kw={"maxlength": SEARCH_LENGTH})
    province = StringField(_l("Province"), render_kw={"maxlength": TEXT_LENGTH})
    no_province = BooleanField(_l("Only cities without a province"))
    flawed = BooleanField(_l("Only cities that need attention"))
    sort = SelectField(
        _l("Sort by"),
        choices=[SelectChoice(name, label) for name, label in SORTS.items()],
        render_kw=CHOSEN,
    )
    order = SelectField(
        _l("Order"),
        choices=[SelectChoice(name, label) for name, label in ORDERS.items()],
        default="desc",
        render_kw=CHOSEN,
    )
