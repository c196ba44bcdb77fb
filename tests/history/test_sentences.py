"""Sentences of the history: spaces in Chinese, and values that are escaped."""

import pytest
from markupsafe import Markup

from app.history.sentences import fill_sentence

LIN, CITY = Markup("<b>Lin</b>"), Markup('<a href="/cities/1">深圳市</a>')


@pytest.mark.parametrize(
    ("who", "what", "shown"),
    [
        (LIN, CITY, '<b>Lin</b> 修改了<a href="/cities/1">深圳市</a>'),
        (Markup("<b>你</b>"), "a b.txt", "<b>你</b>修改了 a b.txt"),
        ("你", "报告 终稿", "你修改了报告 终稿"),
        ("你", "<i>", "你修改了 &lt;i&gt;"),
    ],
)
def test_chinese_has_spaces_only_beside_other_letters(who, what, shown):
    assert fill_sentence("%(who)s 修改了 %(what)s", {"who": who, "what": what}) == shown


def test_english_has_all_its_spaces_and_a_value_is_not_read_again():
    values = {"who": LIN, "what": "%(who)s", "place": "", "more": "3"}
    shown = fill_sentence("%(who)s uploaded %(what)s and %(more)s more", values)
    assert shown == "<b>Lin</b> uploaded %(who)s and 3 more"
