"""Staging an import: what each line would do, on both databases."""

import pytest
from sqlalchemy import func, select, text

from app.cities.importing.models import CityImport
from app.cities.models import City
from app.database.engine import db
from app.errors import Invalid
from app.times import now
from tests.cities.conftest import add_cities
from tests.cities.importing.staging import begin, confirm, editor, kinds, outcomes, register, stage
from tests.factories import SPACES


def test_lines_are_new_changed_the_same_or_refused(person):
    add_cities(("广东", "深圳市", 5), ("广东", "广州市", 7))
    import_id = stage(person, "广东,深圳市,6\n广东,广州市,7\n广东,佛山市,8\n,x,1\n广东,坏数,12.5\n")
    rows = outcomes(import_id)
    assert [row[1] for row in rows] == ["changed", "same", "new", "refused", "refused"]
    assert rows[3][2:] == ("province", "Province is empty.")
    assert rows[4][2] == "users"
    assert "whole number" in rows[4][3]
    assert register() == [("广东", "深圳市", 5), ("广东", "广州市", 7)]


def test_numbers_are_read_as_spreadsheets_write_them(person):
    lines = (
        '省,甲,"1,234,567"\n省,乙,12345.0\n省,丙,1\u00a0234\u00a0567\n省,丁,１２\n省,戊,"12,34"\n'
    )
    import_id = stage(person, lines)
    assert kinds(import_id) == ["new"] * 4 + ["refused"]
    assert outcomes(import_id)[4][3].startswith("“12,34” is not a whole number")
    confirm(import_id, person)
    assert {row[1]: row[2] for row in register()} == {
        "甲": 1_234_567, "乙": 12_345, "丙": 1_234_567, "丁": 12,
    }  # fmt: skip


@pytest.mark.parametrize("unseen", ["\u200b", "\ufeff", "\u00ad", "\u2060", "\u180e", "\u2800"])
def test_invisible_characters_around_cells_make_no_difference(person, unseen):
    add_cities(("安省", "岚市", 7))
    lines = f'{unseen}安省,岚市{unseen},{unseen}7{unseen}\n{unseen}"安省"{unseen},岚{unseen}市,8\n'
    import_id = stage(person, lines, f"{unseen}省份,城{unseen}市,用户数{unseen}\n")
    assert [row[1] for row in outcomes(import_id)] == ["same", "refused"]
    assert outcomes(import_id)[1][3] == "Line 2 has the same city with other values."


@pytest.mark.parametrize("space", SPACES, ids=ascii)
def test_spaces_of_every_kind_may_be_around_cells_and_between_thousands(person, space):
    header = f"{space}省份{space},城市{space},{space}用户数\n"
    lines = f"省,甲{space},{space}1{space}234{space}567\n{space}省,{space}乙,12{space}{space}345\n"
    import_id = stage(person, lines, header)
    assert kinds(import_id) == ["new", "refused"]
    confirm(import_id, person)
    assert register() == [("省", "甲", 1_234_567)]


def test_full_width_commas_group_thousands_and_separate_no_columns(person):
    import_id = stage(person, "省,甲,１７，４９４，３９８\n省，乙，5\n省,丙,17，49\n")
    assert kinds(import_id) == ["new", "refused", "refused"]
    confirm(import_id, person)
    assert register() == [("省", "甲", 17_494_398)]


def test_confirmed_lines_are_applied_with_keys_versions_and_times(person):
    add_cities(("广东", "深圳市", 5), ("广东", "广州市", 7))
    db.session.execute(text("UPDATE city SET province_key=NULL, city_key=NULL, search_key=NULL"))
    db.session.commit()
    before = now()
    import_id = stage(person, "广东,深圳市,6\n广东,广州市,7\n Shàanxi ,Ｘi’an,8\n广东,汕头市,9\n")
    assert confirm(import_id, person) == (2, 1)
    cities = {row.cityname: row for row in db.session.scalars(select(City))}
    assert cities["深圳市"].usernumber == 6
    assert cities["深圳市"].version == 2
    assert cities["深圳市"].changed_at >= before
    assert cities["深圳市"].city_key == "深圳市"
    assert cities["广州市"].version == 1
    new = cities["Ｘi’an"]
    assert (new.provincename, new.usernumber, new.version) == ("Shàanxi", 8, 1)
    assert (new.province_key, new.city_key) == ("shaanxi", "xi’an")
    assert new.search_key == "shaanxi\nxi’an"
    assert new.created_at >= before
    # The list shows the newest first, so the first line of the file must have the highest id.
    assert new.id > cities["汕头市"].id


def test_names_are_equal_by_code_points_composed_and_trimmed(person):
    add_cities(("Bretagne", " Saint-Malo\u3000", 5), ("Bretagne", "Que\u0301ven", 6), ("b", "ß", 7))
    import_id = stage(
        person, "Bretagne,Saint-Malo,5\nBretagne ,Qu\u00e9ven,6\nbretagne,Quéven,6\nb,ss,7\n"
    )
    assert kinds(import_id) == ["same", "same", "new", "new"]


def test_a_missing_column_for_numbers_changes_nothing(person):
    add_cities(("a", "b", 5), ("a", "b", 6))
    import_id = stage(person, "a,b\na,c\n", "province,city\n")
    assert kinds(import_id) == ["same", "refused"]
    assert outcomes(import_id)[1][2:] == (
        "users",
        "This city is new, but the file has no column “Users” (or “usernumber”).",
    )


def test_an_empty_number_is_refused(person):
    add_cities(("a", "b", 5))
    import_id = stage(person, "a,b,\na,c, \n")
    assert [row[1:3] for row in outcomes(import_id)] == [("refused", "users")] * 2


def test_repeated_rows_of_the_register_are_left_alone(person):
    add_cities(("a", "b", 5), ("a", "b", 6), ("a", "c", 1), ("a", "c", 2))
    import_id = stage(person, "a,b,6\na,c,3\n")
    assert outcomes(import_id) == [
        (2, "same", "", ""),
        (3, "refused", "city", "There are 2 cities with this name; edit them in the register."),
    ]


def test_the_same_city_twice_in_a_file(person):
    add_cities(("a", "c", 1))
    import_id = stage(person, "a,b,1\na,b,1\n a,b,2\na,c,5\na,c,5\na,c,1\n,x,1\n,x,2\n")
    rows = outcomes(import_id)
    assert [row[1] for row in rows] == [
        "new", "same", "refused", "changed", "same", "refused", "refused", "refused",
    ]  # fmt: skip
    assert rows[1][3] == "The same as line 2."
    assert rows[2][2:] == ("users", "Line 2 has the same city with other values.")
    assert confirm(import_id, person) == (1, 1)
    assert register() == [("a", "c", 5), ("a", "b", 1)]


def test_a_register_row_without_number_gets_one(person):
    add_cities(("a", "b", None))
    import_id = stage(person, "a,b,0\n")
    assert kinds(import_id) == ["changed"]
    assert confirm(import_id, person) == (0, 1)
    assert register() == [("a", "b", 0)]


def test_too_many_cells_are_refused(person):
    import_id = stage(person, "a,b,1,200\n")
    assert kinds(import_id) == ["refused"]
    assert "more cells" in outcomes(import_id)[0][3]


def test_long_and_strange_cells_are_refused_and_cut(person):
    import_id = stage(person, f'{"x" * 100_000},b,{"9" * 300}\na,"b\nc",1\na,b\u2028c,1\n')
    assert kinds(import_id) == ["refused"] * 3
    assert outcomes(import_id)[0][2] == "province,users"


def test_nothing_is_stored_of_a_file_that_cannot_be_read(person):
    with pytest.raises(Invalid):
        begin(editor(person), "x.csv", b"\xff\xfe")
    assert db.session.scalar(select(func.count()).select_from(CityImport)) == 0
