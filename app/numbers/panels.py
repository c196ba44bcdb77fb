"""The two halves of the page: a form for n, and the result with what is known about it."""

import time
from dataclasses import dataclass
from datetime import datetime

from flask import request

from app.errors import DomainError
from app.numbers import counters, fib, pi, services
from app.text import NUMBER_LENGTH, read_number

# A longer result is not shown whole: 200 kB of digits are for programs.
MOST_DIGITS = 21_000
SHOWN_DIGITS = 500  # of its beginning and of its end


@dataclass(frozen=True)
class NumberKind:
    """A kind of numbers: its name in addresses, its limit, examples as links, and which n is filled
    in at first."""

    name: str
    limit: int
    examples: tuple[int, ...]
    first: int
    get: services.GetNumber


KINDS = {
    "pi": NumberKind("pi", pi.LIMIT, (1000, 1_000_000), 1_000_000, services.get_pi),
    "fib": NumberKind("fib", fib.LIMIT, (93, 300, 10_000), 93, services.get_fib),
}


@dataclass
class Panel:
    """One form of the page: what was typed as n, and the result or the error."""

    kind: NumberKind
    n: str = ""
    number: int | None = None
    result: services.NumberResult | None = None
    milliseconds: float = 0
    error: DomainError | None = None
    max_length: int = NUMBER_LENGTH

    @property
    def name(self) -> str:
        return self.kind.name

    @property
    def sent(self) -> bool:
        """True if the form was sent."""
        return bool(self.result or self.error)

    @property
    def is_whole(self) -> bool:
        """True if the result is shown with all its digits."""
        return self.result is not None and len(self.result.text) <= MOST_DIGITS

    @property
    def ends(self) -> tuple[str, str]:
        """The first and the last digits of a result that is not shown whole."""
        text = self.result.text if self.result else ""
        return text[:SHOWN_DIGITS], text[-SHOWN_DIGITS:]

    @property
    def computed_at(self) -> datetime | None:
        """When the result was computed, if that is known."""
        origin = self.result and self.result.origin
        return counters.at(origin.seconds) if origin else None

    def fill(self, limits: services.ClientLimits) -> None:
        """Read what was typed; if the form was sent, compute. Separators between thousands are
        accepted, which the JSON addresses refuse."""
        self.n = request.args.get(self.name, str(self.kind.first))
        if self.name not in request.args:
            return
        number, start = read_number(self.n), time.perf_counter()
        text = self.n if number is None else str(number)
        try:
            self.result = self.kind.get(text, limits)
            self.number = self.result.n
        except DomainError as error:
            self.error = error
        self.milliseconds = round((time.perf_counter() - start) * 1000, 1)
