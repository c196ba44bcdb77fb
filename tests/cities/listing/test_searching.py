"""Filters and orders together: every page has the rows of a plain filter in Python, in its order,
and is read by an index."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from threading import Event

import pytest
from sqlalchemy import delete, insert, text

from app.cities.exporting.queries import batches
from app.cities.listing import queries, words
from app.cities.listing.queries import CityListing
from app.cities.models import NAMES_INDEX, City
from app.cities.rules import is_flawed, keys
from app.database.cursor import FIRST, LAST
from app.database.engine import db
from app.database.keyset import cursor_at
from app.database.limits import budget
from app.errors import Unavailable
from app.redis import flight
from app.text import search_key
from tests.cities.conftest import ACTOR, add_cities, add_city
from tests.cities.listing.test_paging import expected, ids, through_address
from tests.factories import statements, too_slow

SEEDS = range(4)
ROWS, LISTINGS, FEW = 70, 30, 12
NAMES, SAME_NAME = 700, 8  # of the large register
PIECES = ("西", "安", "广东", "东", "é", "E", "ß", "ss", "100%", "a_b", "/", "市", " ", "\u200b")
START = datetime(2026, 1, 1, tzinfo=UTC)


def random_name(chance):
    """A name of some pieces, or none, or nothing that can be seen."""
    if chance.random() < 0.1:
        return chance.choice([None, "", " \u3000"])
    return "".join(chance.choices(PIECES, k=chance.randint(1, 3)))


def random_rows(chance):
    """Rows with equal names among them, as the original program has them too."""
    names = [random_name(chance) for _name in range(12)]
    return [
        {
            "id": number,
            "provincename": (province := chance.choice(names)),
            "cityname": (city := chance.choice(names)),
            "usernumber": chance.choice([None, 0, 5, 5, 900, -3]),
            "changed_at": chance.choice([None, START, START + timedelta(seconds=number % 3)]),
            **keys(province, city),
        }
        for number in chance.sample(range(1, 10 * ROWS), ROWS)
    ]


def random_listing(chance, rows):
    """A listing with any filters; words are mostly parts of names."""
    row = chance.choice(rows)
    names = [search_key(row["provincename"] or ""), search_key(row["cityname"] or "")]
    chance.shuffle(names)
    cut = ["".join(names), names[0], names[0][:2], names[1][1:], names[0][:1] + names[1]]
    words = [*cut, " ".join(names), chance.choice(PIECES), "圳"]
    return CityListing(
        sort=chance.choice(list(CityListing.SORTS)),
        descending=chance.random() < 0.5,
        search=chance.choice(["", *words]).strip(),
        province=chance.choice(["", "", row["provincename"] or "", names[0].upper()]),
        flawed=chance.random() < 0.2,
        no_province=chance.random() < 0.1,
        size=chance.choice([3, 7, 50]),
    )


def has_word(row, word):
    """True for a word in one of the names, or in both together; a part of one character is a whole
    name."""
    names = [row["province_key"], row["city_key"]]
    if any(word in name for name in names):
        return True
    return 3 <= len(word) <= 40 and any(
        has_part(one, word[:at]) and has_part(other, word[at:])
        for at in range(1, len(word))
        for one, other in (names, names[::-1])
    )


def has_part(name, part):
    return part == name if len(part) == 1 else part in name


def is_found(row, listing, rows):
    """What the filters of a listing mean, for a row."""
    wanted = keys(listing.province, None)
    column = "province_same"
    if not any(each[column] == wanted[column] for each in rows):
        column = "province_key"
    names = row["provincename"], row["cityname"]
    return (
        all(has_word(row, word) for word in search_key(listing.search).split())
        and (not listing.province or row[column] == wanted[column])
        and (not listing.no_province or not row["province_same"])
        and (not listing.flawed or is_flawed(*names, row["usernumber"]))
    )


def walk(listing, hits, start, step):
    """The pages from one end of the list to the other, each by the cursor of the one before."""
    cursor = start
    while cursor:
        page = queries.select_page(ACTOR, listing, cursor, hits.total if hits else None, hits)
        yield page
        cursor = getattr(page, step)
        cursor = cursor and through_address(cursor, listing)


@pytest.mark.parametrize("seed", SEEDS)
def test_pages_of_any_listing_have_the_rows_of_a_plain_filter(any_app, monkeypatch, seed):
    compare_pages(monkeypatch, seed)


def test_pages_are_the_same_where_an_index_takes_too_long(any_app, monkeypatch):
    def is_along_index(statement):
        return budget.seconds is not None and "FROM city" in statement

    with too_slow(any_app, is_along_index) as ended:
        compare_pages(monkeypatch, SEEDS[-1] + 1)
    assert ended


def compare_pages(monkeypatch, seed):
    """With fewer rows than are counted, with more, and without counting."""
    chance = random.Random(seed)
    rows = random_rows(chance)
    db.session.execute(insert(City.__table__), rows)
    db.session.commit()
    for _listing in range(LISTINGS):
        listing = random_listing(chance, rows)
        wanted = expected([row for row in rows if is_found(row, listing, rows)], listing)
        most = chance.choice([FEW, ROWS])
        monkeypatch.setattr(queries, "COUNT_MOST", most)
        hits = queries.find_hits(ACTOR, listing)
        assert hits.total == (len(wanted) if len(wanted) <= most else None), listing
        for known in (hits, None):
            assert ids(walk(listing, known, FIRST, "next")) == wanted, listing
            *back, first = walk(listing, known, LAST, "previous")
            assert ids([first]) == wanted[: listing.size], listing
            assert ids(reversed(back)) == wanted[-len(ids(back)) :] * bool(back), listing
        found = [row.id for batch in batches(ACTOR, listing, 5) for row in batch]
        assert found == wanted, listing


def test_a_page_is_full_although_another_program_removed_some_of_its_rows(any_app):
    add_cities(*(("p", f"c{number:02}", number) for number in range(20)))
    listing = CityListing(search="c", size=5)
    hits = queries.find_hits(ACTOR, listing)
    newest = max(hits.ids)
    db.session.execute(delete(City).where(City.id.in_([newest, newest - 2])))
    db.session.commit()
    page = queries.select_page(ACTOR, listing, FIRST, hits.total, hits)
    assert [row.id for row in page.rows] == [newest - at for at in (1, 3, 4, 5, 6)]
    assert page.next


def test_a_search_needs_three_statements_in_any_order(any_app):
    add_cities(*(("p", f"c{number:02}", number) for number in range(60)))
    for sort, search in product(CityListing.SORTS, ("c", "c1", "c59")):
        db.session.remove()
        listing = CityListing(sort=sort, search=search)
        with statements() as sent:
            hits = queries.find_hits(ACTOR, listing)
            assert queries.select_page(ACTOR, listing, FIRST, hits.total, hits).rows
        assert len([text for text, _values in sent if not text.startswith("BEGIN")]) <= 3, listing


def test_the_end_of_a_name_that_becomes_longer_when_it_is_folded(any_app):
    """On MariaDB its key is cut."""
    add_city("p", "ﷺ" * 254 + "z")
    found = queries.find_hits(ACTOR, CityListing(search="z")).total
    assert found == (0 if db.engine.dialect.name == "mysql" else 1)
    assert queries.find_hits(ACTOR, CityListing(search="ﷺ")).total == 1


@pytest.fixture
def large(any_app):
    """More rows than are sorted, of which each filter finds many."""
    rows = []
    for number in range(NAMES * SAME_NAME):
        province, city = f"p{number % 3}" if number % 5 else None, f"c{number % NAMES}"
        more = {"usernumber": number % 900 or None, "changed_at": START + timedelta(number)}
        rows.append({"provincename": province, "cityname": city, **more, **keys(province, city)})
    db.session.execute(insert(City.__table__), rows)
    db.session.commit()
    if db.engine.dialect.name == "mysql":
        db.session.execute(text("ANALYZE TABLE city"))


def plan_of(query):
    """The steps by which the database answers a query."""
    compiled = query.compile(db.engine, compile_kwargs={"render_postcompile": True})
    names = compiled.positiontup
    values = compiled.construct_params()
    values = tuple(values[name] for name in names) if names else values
    is_sqlite = db.engine.dialect.name == "sqlite"
    explain = "EXPLAIN QUERY PLAN" if is_sqlite else "EXPLAIN"
    steps = db.session.connection().exec_driver_sql(f"{explain} {compiled}", values).mappings()
    return [dict(step) for step in steps]


def test_no_page_sorts_more_rows_than_are_counted(large):
    filters = [
        CityListing(),
        CityListing(search="c1"),
        CityListing(search="p1c1"),
        CityListing(province="p1"),
        CityListing(province="p1", search="c"),
        CityListing(no_province=True),
    ]
    for listing, sort, descending in product(filters, CityListing.SORTS, (True, False)):
        listing = replace(listing, sort=sort, descending=descending)
        if sort == "users" and listing.has_one_province:
            continue  # for rows that have neither MariaDB intersects two indexes
        deep = queries.read_rows(listing, FIRST, 40)[-1]
        for cursor in (FIRST, LAST, cursor_at(listing, deep, True, 40)):
            for query in queries.segments(listing, cursor, 51):
                assert_reads_an_index(plan_of(query.limit(51)), listing)


def assert_reads_an_index(found, listing):
    """No step reads a table without an index, or sorts it. What is sorted may be the 51 rows of a
    subquery."""
    if db.engine.dialect.name == "sqlite":
        details = [step["detail"] for step in found]
        is_small = any("MATERIALIZE" in each for each in details)
        assert is_small or not any("TEMP B-TREE" in each for each in details), (listing, details)
        return
    for step in found:
        if not str(step["table"]).startswith("<derived"):
            assert step["key"], (listing, step)
            assert "filesort" not in step["Extra"], (listing, step)


@pytest.mark.parametrize("length", [40, 41, 255])
def test_a_word_of_any_length_is_found_and_its_signs_are_letters(any_app, length):
    name = ("100%_/甲" * 40)[:length]
    with any_app.app_context():
        found = add_city("甲省", name)
        add_city("甲省", name.replace("_", "x"))
        for word in (name, name[1:]):
            page = queries.select_page(ACTOR, CityListing(search=word), FIRST)
            assert ids([page]) == [found]


def test_long_words_are_not_compared_place_by_place(app):
    """Steps of LIKE take as long as name and word together; those of INSTR are all short."""
    with app.app_context():
        assert "LIKE" not in str(words.has_word("a" * 41, words.NAMES).compile(db.engine))


def test_few_searches_read_the_register_at_once_and_others_wait_without_a_connection(
    any_app, large, monkeypatch
):
    monkeypatch.setattr(flight.search_turns, "seconds", 60)
    asked, take = Event(), flight.search_turns.take
    monkeypatch.setattr(flight.search_turns, "take", lambda: (asked.set(), take())[1])
    db.session.remove()
    with all_turns_taken() as taken, statements() as sent, ThreadPoolExecutor(1) as thread:
        found = thread.submit(count_in_another_request, any_app)
        assert asked.wait(60)
        assert not db.engine.pool.checkedout()
        assert not found.done()
        assert not any("LIKE" in statement for statement, _values in sent)
        taken.close()
        assert found.result(60) == SAME_NAME


def count_in_another_request(app):
    with app.app_context():
        return queries.find_hits(ACTOR, CityListing(search="c699")).total


def test_a_search_whose_turn_does_not_come_is_refused(large, monkeypatch):
    monkeypatch.setattr(flight.search_turns, "seconds", 0)
    with all_turns_taken(), pytest.raises(Unavailable):
        queries.find_hits(ACTOR, CityListing(search="c699"))


def test_other_pages_do_not_queue_behind_searches(any_app, large, as_role, monkeypatch):
    monkeypatch.setattr(flight.search_turns, "seconds", 0)
    viewer = as_role("viewer")
    with all_turns_taken():
        for path in ("/", "/cities", "/cities?province=x", "/files", "/cities/glance"):
            assert viewer.get(path).status_code == 200, path
        for path in ("/cities?q=c699", "/files?q=c699"):
            assert viewer.get(path).status_code == 503, path


@contextmanager
def all_turns_taken():
    """All turns of searches in the process are taken during the block."""
    with ExitStack() as taken:
        while flight.search_turns.free.acquire(blocking=False):
            taken.callback(flight.search_turns.free.release)
        yield taken


@pytest.mark.parametrize("any_app", ["mariadb"], indirect=True)
def test_words_are_read_from_the_index_of_names_alone(large):
    listing = CityListing(search="c1")
    with statements() as sent:
        queries.find_hits(ACTOR, listing)
        queries.select_page(ACTOR, listing)
    searches = [pair for pair in sent if "LIKE" in pair[0]]
    assert len(searches) == 2
    for statement, values in searches:
        connection = db.session.connection()
        steps = connection.exec_driver_sql(f"EXPLAIN {statement}", values).mappings()
        [step] = [step for step in steps if step["key"] == NAMES_INDEX]
        assert "Using index" in step["Extra"]
