"""kill -9 of what stages an import, at any moment: each line is staged once, and none is lost."""

import pytest
from sqlalchemy import select

from app.cities.importing.models import CityImport, ImportLine
from app.database.engine import db
from tests import servers
from tests.cities.conftest import add_cities
from tests.cities.importing.applying.test_kills import ImportPrograms, kill_until
from tests.cities.importing.staging import HEADER
from tests.cities.importing.test_staging import begin
from tests.jobs.test_kills import LONG

pytestmark = pytest.mark.deploy


@pytest.mark.parametrize(("kills", "lines"), [(2, 1500), pytest.param(20, 20_000, marks=LONG)])
def test_every_line_is_staged_once(any_app, site_environment, person, kills, lines):
    env = {**site_environment, "DATABASE_URL": any_app.config["SETTINGS"].database_url}
    add_cities(*(("a", f"b{n}", 1) for n in range(0, lines, 3)))
    import_id = begin(person, HEADER + "".join(f"a,b{n},{n % 2}\n" for n in range(lines)))
    with servers.short_folder("kills") as folder:
        programs = ImportPrograms(folder, env, "always")
        try:
            kill_until(programs, import_id, "staged", ["child", "worker"] * (kills // 2))
        finally:
            programs.stop()
    expected = [(n + 2, "new" if n % 3 else "same" if n % 2 else "changed") for n in range(lines)]
    staged = select(ImportLine.line, ImportLine.kind).order_by(ImportLine.line)
    assert [tuple(row) for row in db.session.execute(staged)] == expected
    counts = db.session.get_one(CityImport, import_id).line_counts
    kinds = [kind for _line, kind in expected]
    assert counts == {kind: kinds.count(kind) for kind in counts}
