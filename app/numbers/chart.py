"""The chart of hits by the hour."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import format_decimal, format_time, ngettext

from app.numbers.counters import HourCounts


@dataclass(frozen=True)
class Column:
    """A column: its height in per cent of the highest, and what it stands for."""

    height: float
    title: str


@dataclass(frozen=True)
class ColumnChart:
    """Columns from left to right; `label` says in words what they show, `top` is the value of the
    highest, `first` and `last` are the names of the outer ones."""

    columns: Sequence[Column]
    label: str
    top: str
    first: str
    last: str


def draw_hits(hours: Sequence[HourCounts]) -> ColumnChart:
    """The hits of each hour."""
    counts = [each.counts.hits for each in hours]
    most = max(*counts, 1)
    names = [str(format_time(each.began, "short")) for each in hours]
    return ColumnChart(
        [
            Column(round(100 * count / most, 2), f"{name}: {say_hits(count)}")
            for name, count in zip(names, counts, strict=True)
        ],
        say_hits(sum(counts)),
        say_hits(max(counts)),
        names[0],
        names[-1],
    )


def say_hits(count: int) -> str:
    """A number of hits in words."""
    return str(ngettext("%(count)s hit", "%(count)s hits", count, count=format_decimal(count)))
