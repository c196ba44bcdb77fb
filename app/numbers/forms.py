"""The two forms of the page, each with its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from app.errors import DomainError
from app.numbers import services


@dataclass
class Panel:
    """What was typed as n, and its result or what is wrong with it. `examples` are offered."""

    name: str
    limit: int
    examples: tuple[int, ...]
    n: str = ""
    timed: services.Timed | None = None
    error: DomainError | None = None

    def ask(
        self, query: Mapping[str, str], get: Callable[[str, str], services.Result], address: str
    ) -> None:
        """Answer the form, if it was sent; what was typed stays in it."""
        self.n = query.get(self.name, str(self.examples[-1]))
        if self.name in query:
            try:
                self.timed = services.timed(get, self.n, address)
            except DomainError as error:
                self.error = error

    @property
    def asked(self) -> bool:
        """Whether the form was sent."""
        return bool(self.timed or self.error)
