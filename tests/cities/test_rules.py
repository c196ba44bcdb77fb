"""The rules of a city on plain values."""

import pytest

from app.cities.rules import check_city, is_flawed, pair_of, province_same, search_keys
from app.errors import Invalid
from app.text import BIDI_CONTROLS
from tests.cities.conftest import EMPTY, given
from tests.factories import INVISIBLE


def test_values_are_trimmed_and_composed():
    values = check_city(given(" 广东\t", "\u3000Cafe\u0301 ", " 007 "))
    assert values == {**EMPTY, "province": "广东", "city": "Café", "users": 7}
    assert check_city(given("a", "b", 2_147_483_647))["users"] == 2_147_483_647


@pytest.mark.parametrize(
    "name",
    ["", "  ", "\u3000", "\u200b", None, "a" * 256, "a\nb", "a\x00b", "a\u2028b", "a\u2029b",
     "a\ud800b", "a\x7fb", "a\x85b"],
)  # fmt: skip
def test_bad_names_are_refused_beside_their_fields(name):
    with pytest.raises(Invalid) as caught:
        check_city(given(name, name, 1))
    assert set(caught.value.fields) == {"province", "city"}


@pytest.mark.parametrize(
    "users",
    ["", None, "-1", "+1", "1.5", "12,34", "1_000", "2,147,483,648", "9" * 99, "x", True, -1,
     "1e3", "٣"],
)  # fmt: skip
def test_bad_numbers_are_refused(users):
    with pytest.raises(Invalid) as caught:
        check_city(given("a", "b", users))
    assert list(caught.value.fields) == ["users"]


@pytest.mark.usefixtures("request_context")
@pytest.mark.parametrize(
    ("users", "message"),
    [
        ("", "Users is empty. It must be a whole number from 0 to 2,147,483,647."),
        (None, "Users is empty. It must be a whole number from 0 to 2,147,483,647."),
        (" 12,34\u202e\n", "“12,34” is not a whole number from 0 to 2,147,483,647."),
        ("1\ud8002", "“1 2” is not a whole number from 0 to 2,147,483,647."),
        ("9" * 999, f"“{'9' * 40}…” is not a whole number from 0 to 2,147,483,647."),
    ],
)
def test_refused_number_is_shown_as_it_was_read(users, message):
    with pytest.raises(Invalid) as caught:
        check_city(given("a", "b", users))
    assert str(caught.value.fields["users"]) == message


def test_name_of_255_characters_after_composing_is_taken():
    assert check_city(given("e\u0301" * 255, "𠀀" * 255, "0"))["province"] == "é" * 255


def test_name_of_four_characters_for_each_composed_one_is_taken():
    assert (
        check_city(given("\u03b1\u0313\u0300\u0345" * 255, "b", "0"))["province"] == "\u1f82" * 255
    )
    assert check_city(given(" " * 9999 + "a" + "\u3000" * 9999, "b", "0"))["province"] == "a"


@pytest.mark.parametrize("unseen", INVISIBLE, ids=ascii)
def test_invisible_characters_around_a_name_are_not_stored(unseen):
    values = check_city(given(f"{unseen} 广东{unseen}", f" {unseen}深{unseen}{unseen}", "1"))
    assert (values["province"], values["city"]) == ("广东", "深")


@pytest.mark.parametrize("unseen", INVISIBLE, ids=ascii)
def test_cities_whose_names_look_the_same_are_the_same(unseen):
    assert pair_of(f"广{unseen}东", f"a{unseen}b") == pair_of("广东", "ab ") == ("广东", "ab")


def test_case_and_accents_make_another_city():
    assert len({pair_of("p", name) for name in ("Abc", "abc", "Äbc", "Abć")}) == 4


@pytest.mark.parametrize(
    "name",
    ["می\u200cخواهم", "👨\u200d👩\u200d👧", "❤\ufe0f", "🏴\U000e0067\U000e0062\U000e007f",
     "葛\U000e0100", "a\u00adb", "松\u200b石"],
    ids=ascii,
)  # fmt: skip
def test_invisible_characters_stay_inside_names(name):
    assert check_city(given(name, f" {name}\u200b", "1"))["city"] == name


@pytest.mark.usefixtures("request_context")
@pytest.mark.parametrize("code", sorted(BIDI_CONTROLS), ids=ascii)
def test_characters_that_turn_the_direction_of_text_are_refused_by_name(code):
    with pytest.raises(Invalid) as caught:
        check_city(given("p", f"abc{code}gnp.exe", "1"))
    assert f"U+{ord(code):04X}" in str(caught.value.fields["city"])
    assert check_city(given(f"{code}p", f"abc{code}", "1"))["city"] == "abc"


def test_a_province_that_is_long_by_compatibility_characters_still_differs():
    long = ["ﷺ" * 200 + end for end in ("a", "b", "a ")]
    keys = [province_same(name) for name in long]
    assert keys[0] == keys[2] != keys[1]
    assert {len(key) for key in keys} == {255}


@pytest.mark.usefixtures("request_context")
def test_very_long_name_is_refused_without_composing_it():
    with pytest.raises(Invalid) as caught:
        check_city(given("a" + "\u0344" * 600_000, "b", "0"))
    # Composed, this character becomes two: the message gives the length of what was typed.
    assert "600,001" in str(caught.value.fields["province"])


def test_keys_are_the_same_for_any_case_and_width():
    assert search_keys(" ＳＴＲＡẞＥ ", "x")["search_key"] == "strasse\nx"
    assert search_keys(None, " \u3000") == {
        "province_key": "",
        "city_key": "",
        "search_key": "\n",
        "province_same": "",
    }
    assert len(search_keys("ﷺ" * 255, "x")["province_key"]) == 255


def test_empty_missing_or_negative_values_are_flawed():
    assert not is_flawed("a", "b", 0)
    for row in (
        (None, "b", 1),
        ("a", " ", 1),
        ("\u3000", "b", 1),
        ("a", "\u3164", 1),
        ("a", "b", None),
        ("a", "b", -1),
    ):
        assert is_flawed(*row)
