"""The table of `make bench`."""

from collections.abc import Iterator, Sequence
from math import isnan, nan

from tests.benchmarks.figures import P99_LEAST, Sample, doubts, ratios, spread

OURS = "ours"
HEAD = (
    "work", "side", "per second", "p50 ms", "p99 ms", "web ms", "database ms", "failures",
    "MiB", "ours ÷ side", "by round", "untrustworthy",
)  # fmt: skip
LEGEND = """
Medians of the rounds; failures are all of them. `web ms` and `database ms` are processor time per
request, of the master and its workers and of MariaDB; with one client they are coarse, in mixed
works they are of reads and writes together, and that of Redis is in neither. `MiB` is the resident
memory of the largest worker. `ours ÷ side` is how many times as fast as that side ours was in the
same round: the median, the smallest and the largest. `untrustworthy`: in one of these rounds other
programs used much of the machine (load), or its host (steal), or the rounds differ much (spread).
Where the data are in memory (/dev/shm), a commit or an upload does not wait for a disk.
"""
# The samples of one line of the table, by the name of the side.
Samples = dict[str, list[Sample]]


def lines(name: str, samples: Samples) -> Iterator[str]:
    """The lines of one work."""
    for side, taken in samples.items():
        rates = [sample.load.rate for sample in taken]
        compared = [] if side == OURS else ratios(samples[OURS], taken)
        doubted = [*taken, *samples[OURS]] if compared else taken
        cells = [
            name, side, *(figure(median_of(values)) for values in columns(taken)),
            f"{sum(sample.load.failures for sample in taken):,}",
            f"{max(sample.memory for sample in taken) or '–'}",
            *ratio_cells(compared),
            ", ".join(doubts(doubted, compared or rates)),
        ]  # fmt: skip
        cells[2] += " MiB" if taken[0].load.volume else ""
        yield f"| {' | '.join(cells)} |"


def columns(taken: Sequence[Sample]) -> Iterator[list[float]]:
    """Throughput, in MiB where that is what matters, and times."""
    for sample in taken[:1]:
        unit = sample.load.volume / 2**20 or 1
        yield [each.load.rate * unit for each in taken]
    yield [sample.load.p50 for sample in taken]
    yield [sample.load.p99 if sample.load.done >= P99_LEAST else nan for sample in taken]
    yield [sample.web_ms for sample in taken]
    yield [sample.database_ms for sample in taken]


def median_of(values: Sequence[float]) -> float:
    """Of the rounds that have a figure."""
    known = [value for value in values if not isnan(value)]
    return spread(known).median if known else nan


def ratio_cells(compared: Sequence[float]) -> list[str]:
    """The median with the range, and each round."""
    if not compared:
        return ["", ""]
    found = spread(compared)
    return [
        f"{found.median:.2f} ({found.low:.2f}–{found.high:.2f})",
        " ".join(f"{ratio:.2f}" for ratio in compared),
    ]


def figure(value: float) -> str:
    """With about three digits."""
    if isnan(value):
        return "–"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def head() -> str:
    return f"| {' | '.join(HEAD)} |\n|---|---|{'--:|' * (len(HEAD) - 4)}---|---|"
