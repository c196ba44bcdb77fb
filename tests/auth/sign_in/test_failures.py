"""How many sign-ins have failed since the last one."""

from sqlalchemy import text

from app.auth.queries import load_person
from app.auth.sign_in import failures, services
from app.database.engine import db
from tests.auth.sign_in.test_limits import guess
from tests.factories import ANONYMOUS, PASSWORD, add_person


def test_failures_count_until_a_sign_in_is_stored(app, caplog):
    refuse = "CREATE TRIGGER r BEFORE UPDATE ON person BEGIN SELECT RAISE(ABORT, 'refused'); END"
    with app.app_context():
        person_id = add_person("Ada")
        guess("Ada", "192.0.2.1")
        for statement, counted, stored in ((refuse, 1, 0), ("DROP TRIGGER r", 0, 1)):
            db.session.execute(text(statement))
            db.session.commit()
            services.sign_in(ANONYMOUS, "Ada", PASSWORD, "192.0.2.1")
            assert failures.read_failures(person_id) == counted
            assert load_person(person_id).failed_sign_ins == stored
            db.session.rollback()
    assert "the time of a sign-in was not stored" in caplog.text
