"""Text that people type, and messages that are translated when they are shown."""

from itertools import chain

import pytest
from flask_babel import force_locale

from app.text import (
    N_,
    Bytes,
    dump_messages,
    excerpt,
    is_blank,
    join_sentences,
    load_messages,
    read_line,
    read_number,
    same_key,
    search_key,
)
from tests.factories import INVISIBLE, SPACES


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0),
        ("7424000", 7_424_000),
        (" \t007\n", 7),
        ("7,424,000", 7_424_000),
        ("17 494 398", 17_494_398),
        ("１２３", 123),
        ("１７，４９４，３９８", 17_494_398),
        ("12345.0", 12_345),
        ("1,234.00", 1_234),
        ("１２．０", 12),
        ("9" * 40, int("9" * 40)),
    ],
)
def test_numbers_are_read_as_people_write_them(text, number):
    assert read_number(text) == number


@pytest.mark.parametrize("space", SPACES, ids=ascii)
def test_spaces_of_every_kind_may_be_around_a_number_and_between_thousands(space):
    assert read_number(f"{space}17{space}494{space}398{space}") == 17_494_398
    assert read_number(f"１７{space}４９４") == 17_494
    assert read_number(f"\ufeff{space}\u200b17{space}494{space}\u2060") == 17_494
    assert read_number(f"17{space}{space}494") is None
    assert read_number(f"1{space}74") is None


@pytest.mark.parametrize(
    "text",
    ["", " ", "12,34", "1,2345", ",123", "123,", "1,,000", "1,234 567", "1  000", "1234,567",
     "0,123", "1.234", "1.000", "1.234.567", "12.", ".0", "1.5", "1.0.0", "1e3", "-1", "+1", "－1",
     "1_000", "1'000", "0x10", "1/2", "²", "٣", "①", "x", "1\n000", "1\x00", "9" * 41,
     "1" + ",000" * 10],
)  # fmt: skip
def test_invalid_and_ambiguous_numbers_are_refused(text):
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Cafe\u0301", "Café"),
        ("ＡＢＣ　１２", "ABC 12"),
        ("a \t\n\u2003 b", " a b\u2028"),
        ("a\u200b\u0301", "á"),
        ("⽇本", "日本"),
        ("a\x07b\x7f\x85", "ab"),
        ("①", "1"),
    ],
)
def test_texts_that_look_the_same_have_one_key(one, other):
    assert same_key(one) == same_key(other)


@pytest.mark.parametrize("unseen", INVISIBLE, ids=ascii)
def test_invisible_characters_are_in_no_key(unseen):
    assert same_key(f"{unseen}a{unseen}b{unseen}") == "ab"
    assert search_key(f"A{unseen}b{unseen}") == "ab"
    assert is_blank(unseen)


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("istanbul", "İstanbul"), ("zurich", "Zürich"), ("malaga", "Málaga"), ("lodz", "Łódź"),
        ("tra vinh", "Trà Vinh"), ("kirsehir", "Kırşehir"), ("da nang", "Đà Nẵng"),
        ("strasse", "STRAẞE"), ("arhus", "Århus"), ("tromso", "Tromsø"), ("malmo", "Malmo\u0308"),
        ("reykjavik", "Reykjavík"), ("thorshofn", "Þórshöfn"), ("mako", "Makő"),
        ("ho chi minh", "Hồ Chí Minh"), ("iasi", "Iași"), ("cadiz", "Ｃádiz"), ("fi", "ﬁ"),
        ("长沙", "\u2ed3沙"), ("青岛", "\u2ed8岛"), ("龙岩", "\u2ef0岩"), ("马鞍山", "\u2ee2鞍山"),
        ("日本", "\u2f47本"), ("ガ", "ｶﾞ"), ("σας", "ΣΑΣ"),
    ],
)  # fmt: skip
def test_a_search_has_the_key_of_the_name(typed, name):
    assert search_key(typed) == search_key(name)


@pytest.mark.parametrize(
    ("one", "other"),
    [("й", "и"), ("が", "か"), ("ά", "α"), ("ñ", "m"), ("하", "아"), ("戸", "戶"), ("Abc", "Abd")],
)
def test_only_accents_of_latin_letters_are_ignored(one, other):
    assert search_key(one) != search_key(other)


def test_case_and_accents_are_in_the_key_of_what_is_the_same():
    assert len({same_key(name) for name in ("Abc", "abc", "Äbc")}) == 3


def test_a_key_of_a_key_is_that_key():
    """For every character, alone and among others."""
    blocks = (
        (0, 0x3400),
        (0xA000, 0xAC00),
        (0xF900, 0x10000),
        (0x1D100, 0x1D800),
        (0xE0000, 0xE0200),
    )
    for code in chain.from_iterable(range(*block) for block in blocks):
        for text in (chr(code), f"a{chr(code)}\u0301b"):
            same, search = same_key(text), search_key(text)
            assert same_key(same) == same, ascii(text)
            assert search_key(search) == search_key(same) == search, ascii(text)
            assert all(character >= " " for character in search), ascii(text)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (" Harbour\n", "Harbour"), ("e\u0301" * 9, "é" * 9), ("x" * 9, "x" * 9), ("x" * 10, None),
        ("", None), (" ", None), (None, None), ("a\nb", None), ("a\0b", None), ("a\u200bb", None),
    ],
)  # fmt: skip
def test_a_line_is_visible_and_within_its_limit(text, line):
    assert read_line(text, 9) == line


@pytest.mark.parametrize(
    ("text", "line"), [(None, ""), (" ", ""), (" a ", "a"), ("a\nb", None), ("x" * 10, None)]
)
def test_an_optional_line_may_be_empty_but_not_invalid(text, line):
    assert read_line(text, 9, least=0) == line


def test_an_excerpt_is_short_and_visible():
    assert excerpt("  12,34 ") == "12,34"
    assert excerpt("a\x00\u202eb") == "a  b"
    assert excerpt("x" * 41) == "x" * 40 + "…"


def test_stored_messages_are_translated_for_the_reader(app):
    stored = dump_messages([N_("Line %(line)s", line=5), N_("No province")])
    with app.test_request_context():
        assert load_messages(stored) == "Line 5 No province"
        with force_locale("zh"):
            assert load_messages(stored) == "第 5 行 未填省份"


def test_message_within_a_stored_message_is_translated_too(app):
    text = "The header in line %(line)s has no column “%(name)s” (or “%(header)s”). Add it."
    stored = dump_messages([N_(text, line="1", name=N_("City"), header="cityname")])
    with app.test_request_context():
        assert "no column “City” (or “cityname”)" in load_messages(stored)
        with force_locale("zh"):
            assert "缺少“城市”（或“cityname”）列" in load_messages(stored)


def test_size_within_a_stored_message_has_its_unit(app):
    text = "The text has more than %(most)s."
    within = dump_messages([N_(text, most=N_(text, most=Bytes(3 << 20)))])
    with app.test_request_context():
        assert "more than 512 MB." in load_messages(
            dump_messages([N_(text, most=Bytes(512 << 20))])
        )
        assert "more than 512." in load_messages(dump_messages([N_(text, most=512)]))
        assert "3 MB" in load_messages(within)


def test_only_english_sentences_have_a_space_between_them():
    assert join_sentences(["One.", N_("Two.")]) == "One. Two."
    assert join_sentences(["第一句。", "第二句。"]) == "第一句。第二句。"


def test_a_list_has_the_comma_of_the_language(app):
    message = N_("File type not allowed. Allowed: %(list)s.", list=["txt", "pdf"])
    with app.test_request_context():
        assert str(message).endswith(" txt, pdf.")
        with force_locale("zh"):
            assert "txt、pdf" in str(message)


def test_texts_that_earlier_releases_stored_are_shown_as_they_are(app):
    with app.test_request_context():
        assert load_messages("") == ""
        assert load_messages("100 % of it.") == "100 % of it."
