"""Notices: messages about an action, shown on the next page."""

from dataclasses import asdict, dataclass

from flask import flash


@dataclass(frozen=True)
class Notice:
    """A translated sentence with an optional link or Undo button, which posts to the URL `undo`.
    It is stored in the session until the next page is shown."""

    text: str
    link: str = ""
    link_text: str = ""
    undo: str = ""

    def show(self, level: str = "good") -> None:
        """Show it on the next page; `level` is good, caution or danger."""
        flash(asdict(self), level)  # type: ignore[arg-type]
