"""What tests of imports share."""

import io
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from app.actor import Actor, Role
from app.cities.importing import queries, services
from app.cities.importing.applying.services import confirm_import
from app.cities.importing.models import CityImport, ImportLine
from app.cities.importing.reading.choices import sheets_of
from app.cities.importing.reading.samples import columns_of_sheet, columns_of_text
from app.cities.importing.reading.tables import Line, Source, open_table, suggest
from app.cities.importing.storage import SentFile, path_of_import
from app.database.engine import db
from app.times import now
from tests.cities.conftest import stored
from tests.factories import HTML, Browser, do_imports
from tests.html import Page

HEADER = "provincename,cityname,usernumber\n"
MIXED = HEADER + "广东,深圳市,6\n广东,广州市,7\n广东,<b>佛山</b>,8\n,x,=1\n"


def register() -> list[tuple[str | None, str | None, int | None]]:
    """All cities, the oldest first."""
    return [row[1:] for row in stored()]


def editor(person: int) -> Actor:
    """The actor of a test's person."""
    return Actor(person, "editor", Role.EDITOR)


def begin(actor: Actor, name: str, data: bytes) -> int:
    """Import a file as far as its preview."""
    file = SentFile(len(data))
    try:
        file.write(data)
        import_id = services.send_file(actor, name, file)
    finally:
        file.close()
    found = db.session.get_one(CityImport, import_id)
    if found.fields is None:  # what the page suggests is chosen
        path = path_of_import(found)
        reading = suggest(path).reading
        columns = (
            columns_of_text(path, reading)
            if reading.sheet is None
            else columns_of_sheet(sheets_of(path), reading.sheet)
        )
        places = {name: place for place, name in enumerate(columns.suggested) if name}
        chosen = reading._replace(separator=columns.separator, first=columns.first, columns=places)
        services.read_again(actor, import_id, chosen)
    return import_id


class ReadFile(NamedTuple):
    """All that was read of a file."""

    lines: list[Line]
    fields: list[str]
    ignored: list[str]
    source: Source


def read_csv(data: bytes) -> ReadFile:
    """What is read of a file with these bytes."""
    with tempfile.NamedTemporaryFile() as file:
        path = Path(file.name)
        path.write_bytes(data)
        with open_table(path, suggest(path).reading) as table:
            return ReadFile(list(table.read()), table.fields, table.ignored, table.source)


def stage(person: int, lines: str, header: str = HEADER) -> int:
    """Import a file as far as its preview."""
    return begin(editor(person), "cities.csv", (header + lines).encode())


def outcomes(import_id: int) -> list[tuple[int, str, str, str]]:
    """Line, kind, field, reason."""
    db.session.rollback()
    query = select(ImportLine).where(ImportLine.import_id == import_id)
    return [
        (row.line, row.kind, row.faults, row.explanation)
        for row in db.session.scalars(query.order_by(ImportLine.line))
    ]


def kinds(import_id: int) -> list[str]:
    """The kind of each line."""
    return [row[1] for row in outcomes(import_id)]


def confirm(import_id: int, person: int) -> tuple[int, int]:
    """Confirm the preview as it is now, and do the job; returns how many cities were added and
    changed."""
    preview = queries.load_import(editor(person), import_id).preview
    confirm_import(editor(person), import_id, preview)
    perform()
    found = read(import_id)
    return found.added, found.changed


def perform() -> None:
    """Do the jobs that wait, as a worker does."""
    do_imports()
    db.session.rollback()


def read(import_id: int) -> CityImport:
    """The present row of an import."""
    db.session.rollback()
    return db.session.get_one(CityImport, import_id)


def send(browser: Browser, text: str | bytes, name: str = "cities.csv") -> TestResponse:
    """Upload a file on the page."""
    data = text.encode() if isinstance(text, str) else text
    fields = {
        "csrf_token": browser.token("/cities/import"),
        "file": FileStorage(io.BytesIO(data), name),
    }
    # In memory: of a large form the test client would leave a temporary file open.
    boundary, body = encode_multipart(fields)
    kind = f"multipart/form-data; boundary={boundary}"
    return browser.client.post("/cities/import", data=body, content_type=kind, headers=HTML)


def choose(visitor: Browser, address: str, **changed: str) -> TestResponse:
    """Choose on the page of a file how it is read: as it is suggested, but for what is changed."""
    page = Page(visitor.get(address))
    form = page.one("#columns form")
    fields: dict[str, object] = {
        each["name"]: each.get("value", "") for each in form.select("input[name]")
    }
    for each in form.select("select"):
        chosen = each.select("option[selected]")
        fields[each["name"]] = chosen[0]["value"] if chosen else ""
    fields.pop("csrf_token")
    return visitor.submit(address.partition("?")[0], fields | changed, page=address)


def expire(*import_ids: int) -> None:
    """As if these had been staged more than a day ago, in this order."""
    for hours, import_id in enumerate(reversed(import_ids), 25):
        db.session.get_one(CityImport, import_id).created_at = now() - timedelta(hours=hours)
    db.session.commit()
