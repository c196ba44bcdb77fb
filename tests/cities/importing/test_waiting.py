"""How many previews of a person wait for their confirmation, on both databases."""

import pytest
from sqlalchemy import func, select, update

from app.cities.importing import queries, services
from app.cities.importing.models import MOST_WAITING, CityImport
from app.cities.importing.services import TooManyWaiting
from app.config import LANGUAGES
from app.database.engine import db
from app.jobs.models import Job
from tests.cities.importing.staging import HEADER, confirm, editor, expire, send, stage
from tests.factories import add_person, at_once
from tests.html import Page


def fill(person):
    """As many waiting imports as a person may have."""
    return [stage(person, f"a,b{number},1\n") for number in range(MOST_WAITING)]


def test_one_more_than_the_most_is_refused_until_one_is_confirmed_cancelled_or_expired(person):
    first, second, third, *_others = fill(person)
    for end in (
        lambda: services.cancel_import(editor(person), first),
        lambda: confirm(second, person),
        lambda: expire(third),
    ):
        with pytest.raises(TooManyWaiting, match=f"{MOST_WAITING} imports that are not confirmed"):
            stage(person, "a,c,1\n")
        end()
        stage(person, "a,c,1\n")
    assert len(queries.list_waiting(editor(person))) == MOST_WAITING


def test_each_person_has_their_own(person):
    fill(person)
    stage(add_person("second", "editor"), "a,c,1\n")


def test_files_sent_at_once_are_counted_one_after_another(any_app, person, monkeypatch):
    """Few: with SQLite each waits until all others have committed, and at most five seconds."""
    monkeypatch.setattr(services, "MOST_WAITING", 2)
    db.session.rollback()
    done = at_once(any_app, *[lambda: stage(person, "a,b,1\n")] * 5)
    assert sum(isinstance(result, int) for result in done) == 2, done
    assert sum(isinstance(result, TooManyWaiting) for result in done) == 3, done
    assert db.session.scalar(select(func.count()).select_from(CityImport)) == 2


def test_what_is_staged_and_what_was_interrupted_are_counted_apart(person, monkeypatch):
    monkeypatch.setattr(services, "WAIT_SECONDS", 0.0)
    stage(person, "a,b,1\n")
    assert queries.count_unconfirmed(editor(person)) == (1, 0)
    db.session.execute(update(Job).values(state="lost"))
    db.session.commit()
    assert queries.count_unconfirmed(editor(person)) == (0, 1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_leads_to_those_that_wait(app, as_role, language):
    visitor = as_role("editor")
    visitor.client.set_cookie("gz_language", language)
    for number in range(MOST_WAITING):
        assert send(visitor, f"{HEADER}a,b{number},1\n").status_code == 303
    refused = send(visitor, f"{HEADER}a,c,1\n")
    assert refused.status_code == 409
    for page in (Page(refused), Page(visitor.get("/cities/import"))):
        assert page.links(".notice.caution a") == ["#waiting"]
        assert len(page.links("#waiting td a")) == MOST_WAITING
    words = {"en": "Confirm or cancel one of them", "zh": "请先确认或取消其中一个"}
    assert words[language] in Page(refused).text(".error-summary")
