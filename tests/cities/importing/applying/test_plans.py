"""No statement of a part reads the whole register, the lines of the import or the history, on both
databases."""

import pytest
from sqlalchemy import event, text

from app.cities.importing.applying import parts, tasks
from app.cities.importing.applying.apply import apply_part
from app.cities.importing.applying.parts import next_part
from app.cities.importing.applying.services import undo_import
from app.cities.importing.applying.undo import undo_part
from app.database.engine import db
from app.jobs.models import JobState
from app.jobs.run import Run
from app.jobs.worker.claim import claim_job, finish
from tests.cities.conftest import add_cities
from tests.cities.importing.applying.helpers import begin
from tests.cities.importing.staging import editor, stage

CITIES, LINES, PART = 6000, 1500, 50
TABLES = {"city", "city_import_line", "history", "removed_city"}
READ_MOST = 600  # rows of one table in one step of a plan


@pytest.fixture
def statements(any_app):
    """The statements since the last look, with their values."""
    found = []

    def note(_connection, _cursor, statement, values, _context, many):
        found.append((statement, values[0] if many else values))

    event.listen(db.engine, "before_cursor_execute", note)
    yield found
    event.remove(db.engine, "before_cursor_execute", note)


def steps(statement, values):
    """The steps of a plan that read a table: table, rows (unknown on SQLite), how."""
    if db.engine.dialect.name == "sqlite":
        with db.engine.connect() as connection:
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
        return [(row.detail, row.detail.removeprefix("SCAN ") in TABLES) for row in rows]
    with db.engine.connect() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN {statement}", values).mappings().all()
    return [
        (dict(row), row["table"] in TABLES and int(row["rows"] or 0) > READ_MOST) for row in rows
    ]


def check(statements):
    """Look at the plans of what was executed."""
    verbs = ("SELECT", "INSERT", "UPDATE", "DELETE")
    looked = 0
    for statement, values in list(statements):
        if statement.startswith(verbs) and any(name in statement for name in TABLES):
            for step, is_long in steps(statement, values):
                looked += 1
                assert not is_long, (statement, step)
    assert looked > 10
    statements.clear()


def fill(person):
    """A register and an import of new and changed cities."""
    add_cities(*(("a", f"b{n}", 1) for n in range(CITIES)))
    lines = "".join(f"a,{'b' if n % 3 else 'c'}{n},{n + 2}\n" for n in range(LINES))
    import_id = stage(person, lines)
    if db.engine.dialect.name == "mysql":
        with db.engine.begin() as connection:
            for name in TABLES:
                connection.execute(text(f"ANALYZE TABLE {name}"))
    return import_id


def test_a_part_is_read_by_indexes(person, statements, monkeypatch):
    monkeypatch.setattr(parts, "LINES", PART)
    import_id = fill(person)
    job_id = begin(import_id, person)
    run = Run(claim_job(job_id, "test"), editor(person), lambda: False)
    statements.clear()
    part = next_part(import_id, LINES // 2, backwards=True)
    apply_part(run.actor, run, part)
    check(statements)
    tasks.apply(run)
    db.session.rollback()
    finish(run.claim, JobState.DONE, None, None)
    job_id = undo_import(editor(person), import_id)
    run = Run(claim_job(job_id, "test"), editor(person), lambda: False)
    part = next_part(import_id, LINES // 2)
    statements.clear()
    undo_part(run.actor, run, part)
    check(statements)
