"""The chart of hits by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import format_decimal, format_time, ngettext

from app.numbers.counters import Counts, HourCounts


@dataclass(frozen=True)
class Column:
    """A column: the hour that it stands for and its counts, its height in per cent of the highest,
    and what it shows in words."""

    hour: str
    began: str
    counts: Counts
    height: float
    title: str


@dataclass(frozen=True)
class ColumnChart:
    """Columns from left to right; `label` says in words what they show, `top` is the value of the
    highest."""

    columns: Sequence[Column]
    label: str
    top: str


def draw_hits(hours: Sequence[HourCounts]) -> ColumnChart:
    """The hits of each hour."""
    counts = [each.counts.hits for each in hours]
    words = {count: format_hits(count) for count in {*counts, sum(counts)}}
    columns = [draw_hour(each, max(*counts, 1), words[each.counts.hits]) for each in hours]
    return ColumnChart(columns, words[sum(counts)], words[max(counts)])


def draw_hour(hour: HourCounts, most: int, words: str) -> Column:
    """The column of an hour."""
    name = str(format_time(hour.began, "short"))
    height = round(100 * hour.counts.hits / most, 2)
    return Column(name, hour.began.isoformat(), hour.counts, height, f"{name}: {words}")


def format_hits(count: int) -> str:
    """A number of hits in words."""
    return str(ngettext("%(count)s hit", "%(count)s hits", count, count=format_decimal(count)))
