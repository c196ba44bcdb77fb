"""The security log: a file for each day, written by workers and commands."""

import logging
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest

from app.logs import security
from app.logs.events import event, events
from app.logs.security import day_file, delete_old_days
from app.times import now
from tests.factories import PASSWORD, Browser, add_person


def lines(app, day=None):
    """The lines of a day, by default of today."""
    with app.app_context():
        path = day_file(day or now().date())
    return path.read_text().splitlines() if path.exists() else []


def test_requests_and_commands_write_to_the_file_of_the_day(app, flask, browser):
    with app.app_context():
        add_person("小梅")
    assert flask("create-user", "Ada", typed=PASSWORD).exit_code == 0
    browser.submit("/login", {"name": "小梅", "password": "wrong one"})
    browser.submit("/login", {"name": "my password by mistake", "password": "wrong one"})
    browser.sign_in("小梅")
    found = lines(app)
    assert [line.split("event=")[1].split()[0] for line in found] == [
        "person-created", "sign-in-refused", "sign-in-refused", "signed-in",
    ]  # fmt: skip
    assert "person=operator via=command about=Ada" in found[0]
    assert "person=小梅" in found[1]
    assert "person=- " in found[2]
    assert not [line for line in found if "mistake" in line]
    assert all("address=127.0.0.1" in line and "path=/login" in line for line in found[1:])


def test_only_the_account_can_read_it(app):
    with app.app_context():
        event("x")
        path = day_file(now().date())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_json_lines_on_request(make_app):
    app = make_app(LOG_FORMAT="json")
    with app.app_context():
        event("x", about="Ada")
    [line] = lines(app)
    assert line.startswith("{")
    assert '"event": "x", "about": "Ada"' in line


def test_an_event_is_in_the_file_of_its_day_of_utc(app, monkeypatch):
    moments = [datetime(2026, 11, 30, 23, 59, 59, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)]
    with app.app_context():
        for moment in moments:
            monkeypatch.setattr("logging.time.time", moment.timestamp)
            monkeypatch.setattr("logging.time.time_ns", lambda m=moment: int(m.timestamp() * 1e9))
            event("x")
    assert [len(lines(app, moment.date())) for moment in moments] == [1, 1]


def test_lines_of_many_writers_are_whole(app):
    def write(number):
        with app.app_context():
            for _event in range(50):
                event("x", about=f"{number}" * 150)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = lines(app)
    assert len(found) == 200
    assert {line.partition("about=")[2] for line in found} == {f"{n}" * 150 for n in range(4)}


@pytest.fixture
def fallback(monkeypatch):
    """The events that went to standard error instead."""
    [handler] = [each for each in events.handlers if isinstance(each, security.SecurityLog)]
    found = []
    monkeypatch.setattr(handler.fallback, "emit", found.append)
    return found


def test_an_event_that_cannot_be_written_goes_to_the_log_of_the_process(app, browser, fallback):
    with app.app_context():
        add_person("Ada")
        folder = day_file(now().date()).parent
    folder.parent.mkdir(parents=True)
    folder.write_text("not a folder")
    browser.sign_in("Ada")
    assert [record.fields["event"] for record in fallback] == ["signed-in"]


def test_an_event_without_an_application_does_too(fallback):
    event("x", logging.WARNING)
    assert [record.fields for record in fallback] == [{"event": "x"}]


def test_a_deleted_file_is_made_again(app):
    with app.app_context():
        event("one")
        day_file(now().date()).unlink()
        event("two")
    assert len(lines(app)) == 1


def test_old_days_are_deleted(make_app):
    app = make_app(SECURITY_LOG_DAYS="30")
    with app.app_context():
        today = now().date()
        event("x")
        days = [day_file(today - timedelta(days=age)) for age in (1, 30, 31, 400)]
        others = [
            days[0].with_name(name)
            for name in ("web.log", "security-x.log", "security-2020-01-01.log.gz")
        ]
        for path in (*days, *others):
            path.write_text("x\n")
        assert delete_old_days() == 2
        assert [path.exists() for path in days] == [True, True, False, False]
        assert all(path.exists() for path in others)
        assert day_file(today).exists()
        assert delete_old_days() == 0


def test_without_a_folder_there_is_nothing_to_delete(app):
    with app.app_context():
        assert delete_old_days() == 0


def test_the_log_of_a_signed_in_browser_has_no_secret(app):
    with app.app_context():
        add_person("Ada")
    browser = Browser(app)
    browser.sign_in("Ada")
    text = "\n".join(lines(app))
    assert "signed-in" in text
    assert PASSWORD not in text
    assert browser.client.get_cookie("gz").value not in text
