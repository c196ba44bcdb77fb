"""The two forms of the page, each with its result."""

from dataclasses import dataclass

from app.errors import DomainError
from app.numbers.services import TimedResult
from app.text import NUMBER_LENGTH


@dataclass
class Panel:
    """One form: what was typed as n, and the result or the error. `examples` are offered as
    links; the last one is filled in at first."""

    name: str
    limit: int
    examples: tuple[int, ...]
    max_length: int = NUMBER_LENGTH
    n: str = ""
    timed: TimedResult | None = None
    error: DomainError | None = None

    @property
    def sent(self) -> bool:
        """True if the form was sent."""
        return bool(self.timed or self.error)
