"""What the history knows of cities and of imports."""

from collections.abc import Collection, Iterable

from flask import url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import or_, select

from app.actor import Actor
from app.cities import undo
from app.cities.fields import FIELDS
from app.cities.importing.applying.notes import import_note, undo_note
from app.cities.importing.applying.queries import undoable_entries
from app.cities.importing.applying.services import undo_entry
from app.cities.importing.models import CityImport, LineKind
from app.cities.importing.queries import CAN_GO_ON, IS_STAGED, owned_by
from app.cities.listing.row_format import city_name
from app.cities.models import City
from app.cities.queries import may_read_cities
from app.cities.removed.services import ALL_CITIES
from app.database.engine import db
from app.history.subjects import Subject, labels_from


def city_labels(ids: Iterable[int]) -> dict[int, str]:
    """The names of cities that are in the register; a word for all cities."""
    wanted = list(ids)
    query = select(City.id, City.cityname).where(City.id.in_(wanted))
    found = {city_id: city_name(name) for city_id, name in db.session.execute(query)}
    return {**found, ALL_CITIES: str(_l("Cities"))} if ALL_CITIES in wanted else found


def readable_cities(actor: Actor, ids: Collection[int]) -> Collection[int]:
    """All, where the actor may read cities; there is no page about all of them."""
    return [each for each in ids if each != ALL_CITIES] if may_read_cities(actor) else ()


def readable_imports(actor: Actor, ids: Collection[int]) -> Collection[int]:
    """Those that have a page: for administrators all, for other editors their own."""
    if not actor.may_write:
        return ()
    has_page = or_(IS_STAGED, CAN_GO_ON)
    query = select(CityImport.id).where(CityImport.id.in_(ids), owned_by(actor), has_page)
    return db.session.scalars(query).all()


CITY = Subject(
    kind="city",
    name=_l("City"),
    labels=city_labels,
    url=lambda city_id: url_for("cities.edit_city", city_id=city_id),
    may_read=readable_cities,
    url_when_gone=lambda _actor, _id: url_for("cities.list_cities"),
    counts=("removed_cities",),
    actions={
        "city.create": _l("City added"),
        "city.update": _l("City changed"),
        "city.delete": _l("City removed"),
        "city.restore": _l("City restored"),
        "city.empty": _l("Removed cities deleted permanently"),
    },
    fields={
        **{field.name: field.label for field in FIELDS},
        "removed_cities": _l("Removed cities"),
        "removed_until": _l("Removed until"),
    },
    sentences={
        "city.create": _l("%(who)s added %(what)s"),
        "city.update": _l("%(who)s changed %(what)s"),
        "city.update.undo": _l("%(who)s undid a change of %(what)s"),
        "city.delete": _l("%(who)s removed %(what)s"),
        "city.restore": _l("%(who)s restored %(what)s"),
        "city.empty": _l("%(who)s deleted the removed cities permanently"),
    },
    many={
        "city.create": _l("%(who)s added %(count)s cities"),
        "city.update": _l("%(who)s changed %(count)s cities"),
    },
    this=_l("this city"),
    brief=[*(field.name for field in FIELDS[1:]), "removed_cities"],
    feed=("city.create", "city.update", "city.delete", "city.restore", "city.empty"),
    undo=undo.undo_change,
    undoable=undo.find_undoable,
)
IMPORT = Subject(
    kind="import",
    name=_l("Import"),
    labels=labels_from(CityImport.file_name),
    url=lambda import_id: url_for("importing.import_preview", import_id=import_id),
    may_read=readable_imports,
    actions={
        "import.begin": _l("Import started"),
        "import.apply": _l("Cities imported"),
        "import.cancel": _l("Import cancelled"),
        "import.undo": _l("Import undone"),
    },
    fields={
        "file_name": _l("File"),
        "lines": _l("Lines"),
        "new": _l("New lines"),
        "changed": _l("Changed lines"),
        "same": _l("Unchanged lines"),
        "refused": _l("Refused lines"),
        "skipped": _l("Skipped lines"),
        "removed": _l("Added cities removed"),
        "reverted": _l("Former values restored"),
        "kept": _l("Kept as they are"),
    },
    counts=(*LineKind, "skipped", "removed", "reverted", "kept"),
    sentences={
        "import.apply": _l("%(who)s imported %(what)s"),
        "import.undo": _l("%(who)s undid the import of %(what)s"),
    },
    feed=("import.apply", "import.undo"),
    notes={"import.apply": import_note, "import.undo": undo_note},
    undo=undo_entry,
    undoable=undoable_entries,
)
