"""The arithmetic of the benchmarks: percentiles, ratios of rounds and their spread, and what makes
figures untrustworthy."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

ROUNDS_LEAST = 3
# Of fewer responses the slowest one in a hundred is not known.
P99_LEAST = 100
# Of the machine's processor time: used by programs that are not ours, or taken by its host.
OTHERS_MOST, STEAL_MOST = 0.10, 0.02
SPREAD_MOST = 1.5  # the largest figure of the rounds, as a multiple of the smallest


@dataclass(frozen=True)
class Load:
    """What clients saw: expected responses, failures (other statuses, errors of sockets), and how
    long responses took, in milliseconds. `volume` is the bytes of one response or upload, where
    those are what matters."""

    done: int
    failures: int
    seconds: float
    p50: float
    p99: float
    volume: int = 0

    @property
    def rate(self) -> float:
        """Expected responses per second."""
        return self.done / self.seconds if self.seconds else 0.0


@dataclass(frozen=True)
class Sample:
    """One side in one round: what clients saw, milliseconds of processor time per request, MiB of
    the largest worker, and the share of the machine that went to other programs or its host."""

    load: Load
    web_ms: float
    database_ms: float
    memory: int
    others: float
    steal: float


@dataclass(frozen=True)
class Spread:
    """The median of the figures of several rounds, the smallest and the largest."""

    median: float
    low: float
    high: float

    @property
    def factor(self) -> float:
        """How many times as large as the smallest the largest is; endless beside nothing."""
        if self.high == self.low:
            return 1.0
        return self.high / self.low if self.low > 0 else float("inf")


def spread(figures: Sequence[float]) -> Spread:
    return Spread(statistics.median(figures), min(figures), max(figures))


def ratios(ours: Sequence[Sample], theirs: Sequence[Sample]) -> list[float]:
    """How many times as fast as the other side we were, in each round; rounds in which the other
    side did nothing are left out."""
    pairs = zip(ours, theirs, strict=True)
    return [our.load.rate / their.load.rate for our, their in pairs if their.load.rate]


def percentile(figures: Sequence[float], share: float) -> float:
    """The smallest figure that is not below this share of them."""
    ranked = sorted(figures)
    return ranked[max(0, -int(-share * len(ranked) // 1) - 1)]


def doubts(samples: Sequence[Sample], rates: Sequence[float]) -> list[str]:
    """Why figures cannot be trusted: the machine was busy with something else, the rounds differ
    too much, or there are too few. `rates` are the figures of the rounds that are reported."""
    found = []
    for name, shares, most in (
        ("load", [sample.others for sample in samples], OTHERS_MOST),
        ("steal", [sample.steal for sample in samples], STEAL_MOST),
    ):
        if (largest := max(shares)) > most:
            found.append(f"{name} {largest:.0%}")
    if len(rates) < ROUNDS_LEAST:
        found.append(f"{len(rates)} rounds")
    elif (factor := spread(rates).factor) > SPREAD_MOST:
        found.append(f"spread {factor:.1f}")
    return found
