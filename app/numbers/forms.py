"""The shape of the two forms of the page, each with its answer."""

from dataclasses import dataclass

from app.errors import DomainError
from app.numbers.services import Timed


@dataclass
class Panel:
    """What was typed as n, and its result or what is wrong with it. `examples` are offered."""

    name: str
    limit: int
    examples: tuple[int, ...]
    n: str = ""
    timed: Timed | None = None
    error: DomainError | None = None

    @property
    def asked(self) -> bool:
        """Whether the form was sent."""
        return bool(self.timed or self.error)
