"""The `flask` commands."""

from sqlalchemy import select, update

from app.cities.models import City
from app.database.engine import db
from tests.cities.conftest import add_cities


def test_former_name_of_the_release_check_is_not_listed(app):
    run = app.test_cli_runner().invoke
    listed = [line.split()[0] for line in run(args=["--help"]).output.splitlines() if line.strip()]
    assert "check-release" in listed
    assert "try" not in listed
    assert "Start this release beside the running one" in run(args=["try", "--help"]).output


def test_prepare_recomputes_keys_that_another_release_stored(app):
    with app.app_context():
        add_cities(("Zürich", "Bülach", 1))
        db.session.execute(update(City).values(search_key="zürich\nbülach"))
        db.session.commit()
        done = app.test_cli_runner().invoke(args=["prepare"])
        assert done.exit_code == 0, done.output
        db.session.rollback()
        assert db.session.scalar(select(City.search_key)) == "zurich\nbulach"
