"""Log lines: nobody can forge one, and each part has a limit."""

import json
import logging
import sys
from functools import partial

import pytest

from app.database.service import run_transaction
from app.logs.lines import JsonFormatter, TextFormatter

FORMATTERS = pytest.mark.parametrize("formatter", [TextFormatter, JsonFormatter])


def record(message="x", name="gazetteer.test", error=None, **fields):
    """A log record, with fields of its own or the trace of an error."""
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord(name, logging.INFO, __file__, 1, message, (), info)
    if fields:
        made.fields = fields
    return made


def raised(error, depth=0):
    """An error that was raised below so many calls."""
    try:
        if depth:
            raise raised(error, depth - 1)
        raise error
    except type(error):
        return sys.exception() if sys.version_info >= (3, 11) else error


def test_line_cannot_be_forged():
    fields = {"event": "signed-in", "person": "eve status=200\n2026 INFO\x1b[2J", "path": '/a"b'}
    line = TextFormatter().format(record(**fields))
    assert "\n" not in line
    assert "\x1b" not in line
    expected = r'event=signed-in person="eve status=200\n2026 INFO\x1b[2J" path="/a\"b"'
    assert line.endswith(expected)
    assert json.loads(JsonFormatter().format(record(**fields)))["person"] == fields["person"]
    assert "\n" not in JsonFormatter().format(record(**fields))
    assert "\n" not in TextFormatter().format(record("two\nlines"))


@FORMATTERS
@pytest.mark.parametrize("character", ["\n", "\r", "\x00", "\x85", "\u2028", "\u202e", "\ud800"])
def test_no_control_character_is_written(formatter, character):
    """Nor a lone surrogate, which could not be encoded."""
    for made in (record(person=f"a{character}b"), record(f"a{character}b")):
        line = formatter().format(made)
        assert character not in line
        line.encode()


def test_a_typed_backslash_is_not_taken_for_an_escape():
    typed, real = record(path=r"/a\n"), record(path="/a\n")
    assert TextFormatter().format(typed).endswith(r"path=/a\\n")
    assert TextFormatter().format(real).endswith(r"path=/a\n")
    assert json.loads(JsonFormatter().format(typed))["path"] == r"/a\n"


def test_chinese_names_stay_readable():
    assert "person=小梅" in TextFormatter().format(record(person="小梅"))
    assert '"person": "小梅"' in JsonFormatter().format(record(person="小梅"))


@FORMATTERS
@pytest.mark.parametrize("character", ["a", "\x01", "深", '"', "\\", "😀"])
def test_a_field_is_cut_after_escaping(formatter, character):
    line = formatter().format(record(path=character * 8000, address=character * 8000))
    assert len(line.encode()) <= 1200
    assert "…" in line
    if formatter is JsonFormatter:
        assert json.loads(line)["path"].endswith("…")
    long = formatter().format(record(character * 8000))
    assert len(long.encode()) <= 800


def test_a_cut_value_is_closed():
    line = TextFormatter().format(record(path="\\" * 499 + '" status=200 x="', status=404))
    assert line.endswith("… status=404")
    assert "status=200" not in line


def test_json_values_keep_their_types():
    line = JsonFormatter().format(record(status=200, ms=1.5, token=None, done=True, role=["x"]))
    found = json.loads(line)
    assert [found[name] for name in ("status", "ms", "token", "done", "role")] == [
        200, 1.5, None, True, "['x']",
    ]  # fmt: skip


@FORMATTERS
def test_the_lines_of_a_trace_look_like_no_other_line(formatter):
    error = raised(
        ValueError("x\n2026-11-30 01:02:03.000Z INFO 1 a:b:1 event=signed-in\x1b[2J\u2028")
    )
    text = formatter().format(record("failed", error=error))
    assert "\x1b" not in text
    assert "\u2028" not in text
    rows = text.split("\n")[1:]
    assert all(row.startswith("  ") for row in rows)
    if formatter is JsonFormatter:
        assert rows == []
        assert "ValueError" in json.loads(text)["trace"]
    else:
        assert any("event=signed-in" in row for row in rows)


@FORMATTERS
def test_the_last_frames_of_a_long_trace_are_kept(formatter):
    error = raised(ValueError("y" * 9000), 80)
    text = formatter().format(record("failed", error=error))
    assert len(text.encode()) <= 4000
    assert "ValueError: yyy" in text
    assert "…" in text


# So that it raises a long way below our code: functions that call each other in turn, because
# Python writes repeated lines once.
LIBRARY = """
def fall(depth):
    if depth == 0:
        raise ValueError("y" * 300)
    climb(depth - 1)
def climb(depth):
    fall(depth)
"""


@pytest.fixture
def raised_below(app):
    """Makes a record about an error of a library that our code has called, so many calls below."""
    library = {}
    exec(compile(LIBRARY, "/site-packages/library.py", "exec"), library)  # noqa: S102

    def make(depth, most):
        with app.app_context(), pytest.raises(ValueError, match="yyy") as error:
            run_transaction(partial(library["fall"], depth))
        made = record("failed", error=error.value)
        made.most = most
        return made

    return make


@FORMATTERS
@pytest.mark.parametrize("depth", [5, 60])
@pytest.mark.parametrize("most", [1000, 2000, 4000])
def test_the_last_frame_of_our_code_stays_in_a_shortened_trace(
    formatter, depth, most, raised_below
):
    text = formatter().format(raised_below(depth, most))
    assert len(text.encode()) <= most
    assert "ValueError: yyy" in text
    assert text.count("in commit_work") == 1
    assert text.count("result = work()") == 1


def test_where_there_is_no_room_for_a_frame_the_error_stays(raised_below):
    text = TextFormatter().format(raised_below(60, 420))
    assert "ValueError: yyy" in text
    assert "commit_work" not in text


def test_the_trace_of_an_error_that_is_shown_as_another_one_is_written():
    """As that of a fault of the database, whose message has values of rows."""
    error = raised(ValueError("secret"), 3)
    made = record("failed", error=error)
    made.exc_info = (type(error), RuntimeError("1062 Duplicate entry"), error.__traceback__)
    text = TextFormatter().format(made)
    assert "in raised" in text
    assert "1062 Duplicate entry" in text
    assert "secret" not in text


def test_the_same_trace_is_written_five_times_a_minute(monkeypatch):
    formatter, minute = TextFormatter(), [1000]
    monkeypatch.setattr("app.logs.traces.time.time", lambda: minute[0])

    def rows(error):
        return len(formatter.format(record("failed", error=error)).split("\n"))

    same = [rows(raised(ValueError(str(number)))) for number in range(8)]
    assert min(same[:5]) > 2
    assert same[5:] == [2] * 3  # the error alone
    assert rows(raised(KeyError("another"))) > 2
    minute[0] += 60
    assert rows(raised(ValueError("later"))) > 2
