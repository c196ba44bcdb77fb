"""The rules of a city on plain values."""

import pytest

from app.cities.rules import check_city, fold_name, is_flawed, search_keys
from app.errors import Invalid
from tests.cities.conftest import given


def test_values_are_trimmed_and_composed():
    values = check_city(given(" 广东\t", "\u3000Cafe\u0301 ", " 007 "))
    assert values == {"province": "广东", "city": "Café", "users": 7}
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


@pytest.mark.usefixtures("request_context")
def test_very_long_name_is_refused_without_composing_it():
    with pytest.raises(Invalid) as caught:
        check_city(given("a" + "\u0344" * 600_000, "b", "0"))
    # Composed, this character becomes two: the message gives the length of what was typed.
    assert "600,001" in str(caught.value.fields["province"])


def test_keys_are_the_same_for_any_case_and_width():
    assert fold_name(" ＳＴＲＡẞＥ ") == fold_name("strasse")
    assert search_keys(None, " \u3000") == {"province_key": "", "city_key": "", "search_key": "\n"}
    assert len(search_keys("ﷺ" * 255, "x")["province_key"]) == 255


def test_empty_missing_or_negative_values_are_flawed():
    assert not is_flawed("a", "b", 0)
    for row in (
        (None, "b", 1),
        ("a", " ", 1),
        ("\u3000", "b", 1),
        ("a", "b", None),
        ("a", "b", -1),
    ):
        assert is_flawed(*row)
