"""Staging an import and applying it, on both databases."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from sqlalchemy import func, insert, select, text, update

from app.auth import services as auth
from app.cities import applying, imports
from app.cities.import_models import CityImport, CityImportRow, Kind
from app.cities.models import City
from app.cities.rules import keys
from app.columns import now
from app.errors import Invalid, NotFound
from app.extensions import db, redis_store
from tests.factories import PASSWORD

HEADER = "provincename,cityname,usernumber\n"


@pytest.fixture
def person(any_app):
    """Somebody who brings in files."""
    return auth.create_person("editor", PASSWORD, "editor")


def add(*rows: tuple[str | None, str | None, int | None]) -> None:
    """Cities in the register, as the original program may have left them."""
    values = [{"provincename": p, "cityname": c, "usernumber": n, **keys(p, c)} for p, c, n in rows]
    db.session.execute(insert(City), values)
    db.session.commit()


def register() -> list[tuple[str | None, str | None, int | None]]:
    """All cities, the oldest first."""
    db.session.rollback()
    query = select(City.provincename, City.cityname, City.usernumber).order_by(City.id)
    return [tuple(row) for row in db.session.execute(query)]


def stage(person: int, lines: str, header: str = HEADER) -> int:
    """Bring in a file as far as its preview."""
    return imports.stage_file(person, "cities.csv", (header + lines).encode())


def judged(import_id: int) -> list[tuple[int, str, str, str]]:
    """Line, kind, field, reason."""
    db.session.rollback()
    query = select(CityImportRow).where(CityImportRow.import_id == import_id)
    return [
        (row.line, row.kind, row.field, row.reason)
        for row in db.session.scalars(query.order_by(CityImportRow.line))
    ]


def kinds(import_id: int) -> list[str]:
    """The kind of each line."""
    return [row[1] for row in judged(import_id)]


def confirm(import_id: int, person: int) -> applying.Outcome:
    """Confirm the preview as it is now."""
    preview = imports.find_import(import_id, person).preview
    return applying.confirm_import(import_id, person, preview)


def test_lines_are_new_changed_the_same_or_refused(person):
    add(("广东", "深圳市", 5), ("广东", "广州市", 7))
    import_id = stage(person, "广东,深圳市,6\n广东,广州市,7\n广东,佛山市,8\n,x,1\n广东,坏数,12.5\n")
    rows = judged(import_id)
    assert [row[1] for row in rows] == ["changed", "same", "new", "refused", "refused"]
    assert rows[3][2:] == ("province", "Type the name of the province.")
    assert rows[4][2] == "number"
    assert "whole number" in rows[4][3]
    assert register() == [("广东", "深圳市", 5), ("广东", "广州市", 7)]


def test_confirmed_lines_are_applied_with_keys_versions_and_times(person):
    add(("广东", "深圳市", 5), ("广东", "广州市", 7))
    db.session.execute(text("UPDATE city SET province_key=NULL, city_key=NULL, search_key=NULL"))
    db.session.commit()
    before = now()
    import_id = stage(person, "广东,深圳市,6\n广东,广州市,7\n Shàanxi ,Ｘi’an,8\n广东,汕头市,9\n")
    assert confirm(import_id, person) == applying.Outcome(added=2, changed=1)
    cities = {row.cityname: row for row in db.session.scalars(select(City))}
    assert cities["深圳市"].usernumber == 6
    assert cities["深圳市"].version == 2
    assert cities["深圳市"].changed_at >= before
    assert cities["深圳市"].city_key == "深圳市"
    assert cities["广州市"].version == 1
    new = cities["Ｘi’an"]
    assert (new.provincename, new.usernumber, new.version) == ("Shàanxi", 8, 1)
    assert (new.province_key, new.city_key) == ("shàanxi", "xi’an")
    assert new.search_key == "shàanxi\nxi’an"
    assert new.created_at >= before
    # The list shows the newest first, so the first line of the file must have the highest id.
    assert new.id > cities["汕头市"].id
    assert db.session.scalar(select(func.count()).select_from(CityImportRow)) == 0


def test_names_are_equal_by_code_points_composed_and_trimmed(person):
    add(("Bretagne", " Saint-Malo\u3000", 5), ("Bretagne", "Que\u0301ven", 6), ("b", "ß", 7))
    import_id = stage(
        person, "Bretagne,Saint-Malo,5\nBretagne ,Qu\u00e9ven,6\nbretagne,Quéven,6\nb,ss,7\n"
    )
    assert kinds(import_id) == ["same", "same", "new", "new"]


def test_a_missing_column_for_numbers_changes_nothing(person):
    add(("a", "b", 5), ("a", "b", 6))
    import_id = stage(person, "a,b\na,c\n", "province,city\n")
    assert kinds(import_id) == ["same", "refused"]
    assert judged(import_id)[1][2:] == (
        "number",
        "This city is new, but the file has no column for the number of users.",
    )


def test_an_empty_number_is_refused(person):
    add(("a", "b", 5))
    import_id = stage(person, "a,b,\na,c, \n")
    assert [row[1:3] for row in judged(import_id)] == [("refused", "number")] * 2


def test_repeated_rows_of_the_register_are_left_alone(person):
    add(("a", "b", 5), ("a", "b", 6), ("a", "c", 1), ("a", "c", 2))
    import_id = stage(person, "a,b,6\na,c,3\n")
    assert judged(import_id) == [
        (2, "same", "", ""),
        (3, "refused", "city", "Stands 2 times in the register; edit it there."),
    ]


def test_the_same_city_twice_in_a_file(person):
    add(("a", "c", 1))
    import_id = stage(person, "a,b,1\na,b,1\n a,b,2\na,c,5\na,c,5\na,c,1\n,x,1\n,x,2\n")
    rows = judged(import_id)
    assert [row[1] for row in rows] == [
        "new", "same", "refused", "changed", "same", "refused", "refused", "refused",
    ]  # fmt: skip
    assert rows[1][3] == "The same as line 2."
    assert rows[2][2:] == ("number", "Line 2 has the same city with another number.")
    assert confirm(import_id, person) == applying.Outcome(1, 1)
    assert register() == [("a", "c", 5), ("a", "b", 1)]


def test_a_register_row_without_number_gets_one(person):
    add(("a", "b", None))
    import_id = stage(person, "a,b,0\n")
    assert kinds(import_id) == ["changed"]
    assert confirm(import_id, person) == applying.Outcome(0, 1)
    assert register() == [("a", "b", 0)]


def test_too_many_cells_are_refused(person):
    import_id = stage(person, "a,b,1,200\n")
    assert kinds(import_id) == ["refused"]
    assert "more cells" in judged(import_id)[0][3]


def test_long_and_strange_cells_are_refused_and_kept_short(person):
    import_id = stage(person, f'{"x" * 100_000},b,{"9" * 300}\na,"b\nc",1\na,b\u2028c,1\n')
    assert kinds(import_id) == ["refused"] * 3
    assert judged(import_id)[0][2] == "province,number"


def test_nothing_is_stored_of_a_file_that_cannot_be_read(person):
    with pytest.raises(Invalid):
        imports.stage_file(person, "x.csv", b"\xff\xfe")
    assert db.session.scalar(select(func.count()).select_from(CityImport)) == 0


def test_confirmed_twice_it_is_applied_once(person):
    import_id = stage(person, "a,b,1\n")
    assert confirm(import_id, person) == confirm(import_id, person) == applying.Outcome(1, 0)
    assert register() == [("a", "b", 1)]


def test_the_lists_kept_texts_are_given_up_after_the_commit(person):
    import_id = stage(person, "a,b,1\n")
    before = redis_store.client.get("gz:cities:mark")
    confirm(import_id, person)
    assert redis_store.client.get("gz:cities:mark") != before


def edited() -> None:
    db.session.execute(update(City).values(usernumber=9, version=City.version + 1))


def edited_by_the_original_program() -> None:
    db.session.execute(text("UPDATE city SET usernumber=9 WHERE cityname='b'"))


def renamed_by_the_original_program() -> None:
    db.session.execute(text("UPDATE city SET cityname='z' WHERE cityname='b'"))


def removed() -> None:
    db.session.execute(text("DELETE FROM city WHERE cityname='b'"))


def the_new_one_added() -> None:
    db.session.execute(insert(City).values(provincename="a", cityname="new", usernumber=3))


@pytest.mark.parametrize(
    ("event", "anew"),
    [
        (edited, ["changed", "new"]),
        (edited_by_the_original_program, ["changed", "new"]),
        (renamed_by_the_original_program, ["new", "new"]),
        (removed, ["new", "new"]),
        (the_new_one_added, ["changed", "changed"]),
    ],
)
def test_what_changed_since_the_preview_makes_it_anew(person, event, anew):
    add(("a", "b", 5))
    import_id = stage(person, "a,b,6\na,new,1\n")
    event()
    db.session.commit()
    after = register()
    with pytest.raises(applying.Outdated):
        confirm(import_id, person)
    assert register() == after
    assert kinds(import_id) == anew
    confirm(import_id, person)
    assert sorted(register())[:2] == [("a", "b", 6), ("a", "new", 1)]


def test_an_unrelated_change_does_not_matter(person):
    add(("a", "b", 5), ("a", "other", 1))
    import_id = stage(person, "a,b,6\na,other,1\n")
    db.session.execute(update(City).where(City.cityname == "other").values(usernumber=2))
    db.session.commit()
    assert confirm(import_id, person) == applying.Outcome(0, 1)


def test_an_earlier_preview_cannot_be_confirmed(person):
    add(("a", "b", 5))
    import_id = stage(person, "a,b,6\n")
    seen = imports.find_import(import_id, person).preview
    edited()
    db.session.commit()
    for _twice in range(2):
        with pytest.raises(applying.Outdated):
            applying.confirm_import(import_id, person, seen)
    assert register() == [("a", "b", 9)]


def together(app, *calls):
    """Run calls at the same moment, each in a thread; returns results and errors."""
    barrier = Barrier(len(calls))

    def run(call):
        with app.app_context():
            barrier.wait()
            try:
                return call()
            except Exception as error:
                return error

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def test_two_confirmations_at_once_apply_once(any_app, person):
    import_id = stage(person, "".join(f"a,b{i},1\n" for i in range(500)))
    preview = imports.find_import(import_id, person).preview
    db.session.rollback()
    done = together(any_app, *[lambda: applying.confirm_import(import_id, person, preview)] * 4)
    assert done == [applying.Outcome(500, 0)] * 4
    assert len(register()) == 500


def test_two_imports_of_the_same_cities_at_once_add_them_once(any_app, person):
    lines = "".join(f"a,b{i},1\n" for i in range(300))
    first, second = stage(person, lines), stage(person, lines)
    db.session.rollback()
    done = together(any_app, lambda: confirm(first, person), lambda: confirm(second, person))
    assert sorted(type(result).__name__ for result in done) == ["Outcome", "Outdated"]
    assert len(register()) == 300


def test_only_its_owner_finds_an_import(person):
    stranger = auth.create_person("stranger", PASSWORD, "editor")
    import_id = stage(person, "a,b,1\n")
    for verb in (imports.find_import, imports.cancel_import):
        with pytest.raises(NotFound):
            verb(import_id, stranger)
    with pytest.raises(NotFound):
        applying.confirm_import(import_id, stranger, 1)
    assert imports.find_import(import_id, None).id == import_id  # as administrators ask
    assert imports.list_waiting(stranger) == []


def test_cancelled_it_is_gone(person):
    import_id = stage(person, "a,b,1\n")
    imports.cancel_import(import_id, person)
    with pytest.raises(NotFound):
        imports.find_import(import_id, person)
    assert judged(import_id) == []


def test_cancelling_after_the_confirmation_changes_nothing(person):
    import_id = stage(person, "a,b,1\n")
    confirm(import_id, person)
    imports.cancel_import(import_id, person)
    assert confirm(import_id, person) == applying.Outcome(1, 0)


def test_after_a_day_the_next_one_clears_it_away(person):
    old, young = stage(person, "a,b,1\n"), stage(person, "a,b,1\n")
    held = db.session.get(CityImport, old)
    held.created_at = now() - timedelta(hours=25)
    db.session.commit()
    stage(person, "a,c,1\n")
    assert judged(old) == []
    assert kinds(young) == ["new"]


def test_five_thousand_lines_are_staged_in_chunks_and_read_in_parts(person):
    import_id = stage(person, "".join(f"a,b{i},{i}\n" for i in range(5000)))
    counts = imports.count_lines(import_id)
    assert counts == {"new": 5000, "changed": 0, "same": 0, "refused": 0}
    part = imports.read_part(import_id, Kind.NEW, 5000, page=50)
    assert (part.pages, part.rows[-1].cityname) == (50, "b4999")
    assert confirm(import_id, person) == applying.Outcome(5000, 0)
    again = stage(person, "".join(f"a,b{i},{i + i % 2}\n" for i in range(5000)))
    assert imports.count_lines(again) == {"new": 0, "changed": 2500, "same": 2500, "refused": 0}
    assert confirm(again, person) == applying.Outcome(0, 2500)
    assert register()[-2:] == [("a", "b1", 2), ("a", "b0", 0)]
