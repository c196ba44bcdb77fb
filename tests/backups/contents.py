"""What an application has: rows to back up, and all of it for a comparison."""

from sqlalchemy import MetaData, select

from app.backups.archive.reading import Receiver
from app.cities import services as cities
from app.current import settings
from app.database.engine import db
from tests.cities.conftest import add_city, given
from tests.factories import add_person
from tests.files.helpers import editor, some_text, store

# Characters that a dump has to escape.
HOSTILE = "a'b\\c\"d;\n(e),f\r\x1a`g`--%s{}\t😀"


def fill(large=3_000_000):
    """Some rows in several tables, and files, the largest of so many bytes."""
    person = add_person("Ada", "editor")
    actor = editor(person)
    add_city(city=HOSTILE)
    for number in range(8):
        cities.create_city(actor, given(city=f"城市{number}", users=str(number)))
    for number in range(3):
        store(person, f"{number}.txt", some_text(1000 * number + 1, number))
    store(person, "big.bin", some_text(large))


def everything():
    """All rows of all tables, but those of sessions and of who does the housekeeping, and the bytes
    of all stored files."""
    db.session.rollback()
    metadata = MetaData()
    with db.engine.connect() as connection:
        metadata.reflect(connection)
        rows = {
            table.name: sorted(map(repr, connection.execute(select(table))))
            for table in metadata.sorted_tables
            if table.name not in ("installation", "lease")
        }
    return rows, stored_files()


def stored_files():
    """The bytes of the stored files by their paths."""
    folder = settings().files_dir
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.glob("[0-9a-f][0-9a-f]/*")
    }


class Collected(Receiver):
    """Everything of a backup, in memory."""

    def __init__(self):
        self.database, self.files, self.settings = b"", {}, b""

    def take_database(self, manifest, blocks):
        self.database = b"".join(blocks)

    def take_file(self, stored_name, blocks):
        self.files[f"{stored_name[:2]}/{stored_name}"] = b"".join(blocks)

    def take_settings(self, text):
        self.settings = text
