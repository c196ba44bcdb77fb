"""Notices: what the person's next page says about what they just did."""

from dataclasses import asdict, dataclass

from flask import flash


@dataclass(frozen=True)
class Notice:
    """A sentence, already translated, with at most one link or one Undo button beside it. `undo`
    is the address that the button posts to. It waits in the session for the next page."""

    text: str
    link: str = ""
    link_text: str = ""
    undo: str = ""

    def show(self, level: str = "good") -> None:
        """Put it on the next page; `level` is good, caution or danger."""
        flash(asdict(self), level)  # type: ignore[arg-type]
