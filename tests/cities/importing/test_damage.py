"""Damaged text is reported with its line."""

import pytest

from app.cities.importing.damage import damage_of, repair
from tests.cities.conftest import add_cities
from tests.cities.importing.staging import kinds, outcomes, stage

NAMES = ["广东", "深圳市", "石家庄", "北京市", "Córdoba", "São Paulo", "Đà Nẵng", "Москва", "Αθήνα"]


def misread(text, written, read):
    """The text as a program shows it that takes its encoding for another one."""
    return text.encode(written).decode(read, "replace")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("read", ["latin-1", "cp1252"])
def test_utf_8_read_as_latin_1_is_damaged(name, read):
    assert damage_of(misread(name, "utf-8", read)) is not None


@pytest.mark.parametrize("name", NAMES[:4])
def test_chinese_read_in_a_wrong_encoding_is_damaged_and_shown_as_it_was_meant(name):
    for text in (misread(name, "utf-8", "latin-1"), misread(name, "gbk", "latin-1")):
        assert repair(text) == name
        assert damage_of(text).values["meant"] == name
    for text in (
        misread(name, "utf-8", "gbk"),
        misread(misread(name, "utf-8", "latin-1"), "utf-8", "cp1252"),
    ):
        assert damage_of(text) is not None


@pytest.mark.parametrize(
    "text",
    [
        "广\ufffd",
        "\ufffd",
        "锟斤拷锟斤拷",
        "锟斤",
        "?ód?",
        "深?市",
        "S?o Paulo",
        "??",
        "???? ??",
        "?",
    ],
)
def test_text_that_lost_characters_is_damaged(text):
    assert "characters were lost" in damage_of(text).text


@pytest.mark.parametrize(
    "text", ["'岚市'", "`岚市`", "`岚市'", "«岚市»", "»岚市«", "「岚市」", "『岚市』"]
)
def test_quotation_marks_around_a_name_are_reported(text):
    assert "quotation marks around it" in damage_of(text).text


@pytest.mark.parametrize(
    "name",
    [
        *NAMES, "'s-Hertogenbosch", "‘Uyūn al Jiwā’", "O'", "“崖市”", "«a",
        "「a」b", "CAFÉ” ", "L’Île-d’Yeu", "ÅS", "Ææ", "Öö", "Ñuñoa", "ESPAÑA", "Úštěk",
        "ČÍŽKOVICE", "Àlfàra", "Straße", "STRAẞE", "São", "MARABÁ\u00a0(PA)", "What?",
        "A区", "省", "锟山", "漯河市", "洮南市", "亳州", "濮阳", "¿Qué?", "°", "🏙️",
    ],
)  # fmt: skip
def test_names_are_not_damaged(name):
    assert damage_of(name) is None


def test_the_line_of_a_new_city_with_a_damaged_name_is_refused(person):
    import_id = stage(person, "广\ufffd,深圳市,5\nå¹¿ä¸œ,æ·±åœ³å¸‚,5\n广东,??,5\n广东,深圳市,5\n")
    assert kinds(import_id) == ["refused"] * 3 + ["new"]
    rows = outcomes(import_id)
    assert [row[2] for row in rows] == ["province", "city,province", "city", ""]
    assert "“广\ufffd” is damaged: characters were lost" in rows[0][3]
    assert "“å¹¿ä¸œ” is damaged: it looks like “广东”" in rows[1][3]
    assert "“深圳市”" in rows[1][3]


def test_damage_is_the_reason_rather_than_the_control_characters_that_it_left(person):
    [row] = outcomes(stage(person, f"广东,{misread('深圳市', 'utf-8', 'latin-1')},5\n"))
    assert row[2] == "city"
    assert "it looks like “深圳市”" in row[3]


def test_a_city_that_is_in_the_register_with_such_a_name_stays_the_same(person):
    add_cities(("广\ufffd", "å¹¿ä¸œ", 5), ("??", "x", 6))
    assert kinds(stage(person, "广\ufffd,å¹¿ä¸œ,5\n??,x,7\n")) == ["same", "changed"]


def test_a_line_with_another_separator_than_the_header_says_so(person):
    rows = outcomes(stage(person, "安省;荷市;5\n安省，荷市，5\n安省\n"))
    assert [row[1:3] for row in rows] == [
        ("refused", ""), ("refused", ""), ("refused", "city,users")
    ]  # fmt: skip
    assert rows[0][3] == rows[1][3]
    assert "not separated by the same characters as the header" in rows[0][3]
