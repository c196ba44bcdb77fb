"""Notices: what the person's next page says about what they just did."""

from dataclasses import asdict, dataclass

from flask import flash


@dataclass(frozen=True)
class Notice:
    """A translated sentence, with at most one link or one Undo button next to it; `undo` is the URL
    that the button posts to. It is stored in the session until the next page."""

    text: str
    link: str = ""
    link_text: str = ""
    undo: str = ""

    def show(self, level: str = "good") -> None:
        """Put it on the next page; `level` is good, caution or danger."""
        flash(asdict(self), level)  # type: ignore[arg-type]
