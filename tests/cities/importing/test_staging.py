"""Staging by a job: in chunks, once, and ended at any point, on both databases."""

import pytest
from sqlalchemy import func, select

from app.cities.importing import cleaning, pages, queries, services, staging
from app.cities.importing.models import CityImport, ImportLine, ImportState
from app.cities.importing.reading import tables
from app.cities.importing.storage import SentFile
from app.database.engine import db
from app.errors import Invalid, NotFound
from app.jobs.models import Job
from app.jobs.run import Lost
from app.jobs.services import cancel_job, retry_job
from app.jobs.waiting import read_end
from app.redis.ids import next_id
from tests.cities.conftest import add_cities
from tests.cities.importing.staging import HEADER, editor, kinds, outcomes, register, send, stage
from tests.factories import do_imports
from tests.html import Page
from tests.jobs.conftest import write

LINES = "".join(f"a,b{number},{number}\n" for number in range(25))


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(staging, "CHUNK", 10)
    monkeypatch.setattr(staging, "CHECKED", 10)
    monkeypatch.setattr(staging, "PIECE", 10)
    monkeypatch.setattr(cleaning, "PIECE", 10)


def begin(person, text):
    """Begin an import whose job waits."""
    file = SentFile(len(text))
    file.write(text.encode())
    file.seek(0)
    return services.begin_import(editor(person), "cities.csv", file)


def load(import_id):
    db.session.rollback()
    return db.session.get_one(CityImport, import_id)


def interrupt(monkeypatch, after, error):
    """Have the job end with an error after so many chunks."""
    store, count = staging.store_lines, []

    def stop(*args):
        if len(count) == after:
            monkeypatch.setattr(staging, "store_lines", store)
            raise error
        count.append(1)
        return store(*args)

    monkeypatch.setattr(staging, "store_lines", stop)


def test_each_chunk_counts_its_lines(person):
    add_cities(("a", "b3", 3), ("a", "b4", 5))
    import_id = stage(person, LINES + "a,,1\n")
    found = load(import_id)
    assert found.line_counts == {"new": 23, "changed": 1, "same": 1, "refused": 1}
    assert (found.state, found.staged_line, found.preview) == ("staged", 27, 1)
    job = db.session.get_one(Job, found.job_id)
    assert (job.progress_done, job.progress_total) == (26, 26)
    assert (job.about_kind, job.about_id) == ("import", import_id)


def test_a_killed_job_goes_on_behind_its_last_chunk(person, monkeypatch):
    import_id = begin(person, HEADER + LINES)
    interrupt(monkeypatch, 2, Lost())
    do_imports()
    assert (load(import_id).state, load(import_id).staged_line) == ("staging", 21)
    assert len(kinds(import_id)) == 20
    write(load(import_id).job_id, state="queued")
    do_imports()
    assert kinds(import_id) == ["new"] * 25
    assert load(import_id).line_counts["new"] == 25


def test_a_chunk_of_a_lost_job_is_not_stored(person, monkeypatch):
    """Another process does it by now."""
    import_id = begin(person, HEADER + LINES)
    compare = staging.compare_lines

    def lose(*args):
        write(load(import_id).job_id, attempt=7)
        return compare(*args)

    monkeypatch.setattr(staging, "compare_lines", lose)
    do_imports()
    assert kinds(import_id) == []
    assert load(import_id).staged_line == 0


def test_a_city_is_found_again_in_another_chunk(person):
    add_cities(("a", "b3", 3), ("a", "b4", 5))
    lines = "a,b1,1\n a ,b1,2\na,b3,3\na,b3,4\na,b4,4\na,b4,5\na,c,x\na,c,1\na,c,1\n"
    import_id = stage(person, LINES + lines)
    assert outcomes(import_id)[25:] == [
        (27, "same", "", "The same as line 3."),
        (28, "refused", "users", "Line 3 has the same city with other values."),
        (29, "same", "", "The same as line 5."),
        (30, "refused", "users", "Line 5 has the same city with other values."),
        (31, "same", "", "The same as line 6."),
        (32, "refused", "users", "Line 6 has the same city with other values."),
        (33, "refused", "users", "“x” is not a whole number from 0 to 2,147,483,647."),
        (34, "new", "", ""),
        (35, "same", "", "The same as line 34."),
    ]


def test_without_a_column_for_numbers_a_repeated_city_has_no_other_values(person):
    add_cities(*((("a", f"b{number}", number)) for number in range(25)))
    lines = "".join(f"a,b{number}\n" for number in range(25))
    import_id = stage(person, lines + "a,b7\n", "province,city\n")
    assert kinds(import_id) == ["same"] * 26


def test_of_a_file_that_cannot_be_read_to_its_end_nothing_is_staged(person):
    with pytest.raises(Invalid, match="quotation marks"):
        stage(person, LINES + 'a,"b,1\n')
    assert db.session.scalar(select(func.count()).select_from(CityImport)) == 0
    assert db.session.scalar(select(func.count()).select_from(ImportLine)) == 0


def test_a_cancelled_job_leaves_an_import_that_can_be_read_again(as_role, app, monkeypatch):
    visitor = as_role("editor")
    interrupt(monkeypatch, 1, AssertionError("a fault of ours"))
    refused = send(visitor, HEADER + LINES)
    assert refused.status_code == 422
    with app.app_context():
        person = visitor_id(app)
        import_id = begin(person, HEADER + LINES)
        cancel_job(editor(person), load(import_id).job_id)
    page = Page(visitor.get(f"/cities/import/{import_id}"))
    assert "The lines were not compared to the end." in page.text("#import")
    with app.app_context():
        job_id = load(import_id).job_id
    # Nothing is known of the file yet, so there is nothing to choose.
    assert page.links("#import a") == []
    assert page.has(f'#import form[action^="/jobs/{job_id}/retry"]')
    early = visitor.get(f"/cities/import/{import_id}/reading")
    assert (early.status_code, early.location) == (303, f"/cities/import/{import_id}")
    with app.app_context():
        retry_job(editor(person), job_id)
        do_imports()
        assert load(import_id).state == "staged"


@pytest.mark.parametrize("text", [LINES, LINES.replace("b0", "\x00")])
def test_a_large_file_that_cannot_be_read_is_not_read_by_a_page(person, text, monkeypatch):
    monkeypatch.setattr(tables, "MOST_LINES", 20)
    import_id = begin(person, HEADER + text)
    do_imports()
    assert load(import_id).state == "stored"
    for name in ("sample_encodings", "suggest"):
        monkeypatch.setattr(pages, name, None)
    page = pages.show_reading(editor(person), import_id, {})
    assert page.failure
    assert page.encodings


def visitor_id(app):
    """The id of the editor."""
    from app.auth.queries import find_person

    return find_person("editor").id


def test_the_page_shows_how_far_a_job_is(as_role, app, monkeypatch):
    visitor = as_role("editor")
    monkeypatch.setattr(services, "WAIT_SECONDS", 0.0)
    address = send(visitor, HEADER + LINES).location
    page = Page(visitor.get(address))
    assert page.has("#import[data-active][data-follow]")
    assert "No worker is running" in page.text(".notice.caution")
    assert page.texts("#waiting td.main") == []
    listed = Page(visitor.get("/cities/import"))
    assert listed.links("#waiting td a") == [address]
    with app.app_context():
        write(load(int(address.rpartition("/")[2])).job_id, progress_done=5, progress_total=25)
    assert "5 of 25" in Page(visitor.get(address)).text("#import")
    with app.app_context():
        do_imports()
    assert Page(visitor.get(address)).texts(".counts .figure") == ["25", "0", "0", "0"]


def test_a_cancelled_import_ends_its_job_and_loses_its_lines(person, monkeypatch):
    import_id = begin(person, HEADER + LINES)
    interrupt(monkeypatch, 2, Lost())
    do_imports()
    job_id = load(import_id).job_id
    services.cancel_import(editor(person), import_id)
    assert db.session.get(CityImport, import_id) is None
    assert outcomes(import_id) == []
    assert db.session.get_one(Job, job_id).cancel_asked
    write(job_id, state="queued", cancel_asked=False)  # as if it were asked too late
    do_imports()
    assert read_end(job_id).state == "failed"
    assert register() == []


def test_a_large_cancelled_import_is_deleted_piece_by_piece(person, monkeypatch):
    import_id = stage(person, LINES)
    monkeypatch.setattr(cleaning, "SECONDS", 0.0)
    services.cancel_import(editor(person), import_id)
    with pytest.raises(NotFound):
        queries.load_import(editor(person), import_id, unfinished=True)
    assert load(import_id).state == ImportState.CANCELLED
    assert load(import_id).stored_name is None
    assert cleaning.delete_ended() == 0
    monkeypatch.setattr(cleaning, "SECONDS", 10.0)
    assert cleaning.delete_ended() == 1
    assert outcomes(import_id) == []


def test_read_in_another_way_no_line_of_the_earlier_preview_is_left(person):
    import_id = stage(person, LINES)
    found = load(import_id)
    reading = services.Reading("utf-8", ",", None, 20, {"province": 0, "city": 1, "users": 2})
    services.read_again(editor(person), import_id, reading)
    assert [row[0] for row in outcomes(import_id)] == list(range(20, 27))
    found = load(import_id)
    assert (found.line_counts["new"], found.preview) == (7, 2)


def test_refused_lines_are_read_in_batches(as_role, monkeypatch):
    monkeypatch.setattr(queries, "BATCH", 10)
    visitor = as_role("editor")
    address = send(visitor, HEADER + "".join(f"a,b{number},x\n" for number in range(25))).location
    lines = visitor.get(f"{address}/refused.csv").get_data(as_text=True).splitlines()
    assert [line.split('"')[1] for line in lines[1:]] == [str(n) for n in range(2, 27)]


def test_a_job_that_does_not_get_the_import_changes_nothing(person):
    import_id = stage(person, LINES)
    job_id = load(import_id).job_id
    services.begin_again(editor(person), import_id, None, next_id())
    again = retry_job(editor(person), job_id)
    db.session.rollback()
    newest = load(import_id).job_id
    do_imports()
    assert [read_end(each).state for each in (newest, again)] == ["done", "failed"]
    assert kinds(import_id) == ["new"] * 25
