"""The refusals of the domain. Each has the HTTP status that answers it."""

from typing import Any

from flask_babel import gettext as _

from app.text import N_


class DomainError(Exception):
    """A refusal by a rule. `message` is for people; `status` is the answer's HTTP status."""

    status = 422

    def __init__(self, message: Any = "", **headers: str) -> None:
        super().__init__(str(message))
        self.message = str(message)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


class Invalid(DomainError):
    """Input that breaks rules; `fields` maps a field's name to what is wrong with it."""

    def __init__(self, message: Any = "", fields: dict[str, str] | None = None) -> None:
        self.fields = fields or {}
        super().__init__(message or " ".join(str(text) for text in self.fields.values()))


class Unauthorized(DomainError):
    """Nobody known asks."""

    status = 401

    def __init__(self, message: Any = "") -> None:
        super().__init__(message, WWW_Authenticate="Bearer")


class NotFound(DomainError):
    """Nothing there, or nothing this person may know of."""

    status = 404


class Forbidden(DomainError):
    """This person may see it, but not do that."""

    status = 403


class Conflict(DomainError):
    """Somebody else was faster."""

    status = 409


class Locked(Conflict):
    """Another transaction holds the rows that this one has to change."""

    def __init__(self) -> None:
        super().__init__(_("Somebody else is changing this right now. Try again in a moment."))


class TooLarge(DomainError):
    """More than a limit allows; the message names it."""

    status = 413


class NoSpace(DomainError):
    """The disk is nearly full."""

    status = 507

    def __init__(self, message: Any = "") -> None:
        super().__init__(message or N_("Nothing was kept. Tell whoever runs this server."))


class TooMany(DomainError):
    """Too often in a short time; `seconds` until it is worth trying again."""

    status = 429

    def __init__(self, message: Any, seconds: int) -> None:
        super().__init__(message, Retry_After=str(max(1, seconds)))


class Unavailable(DomainError):
    """A service that the answer needs is away."""

    status = 503

    def __init__(self, message: Any = "") -> None:
        text = N_("A service behind this page does not answer. Try again in a moment.")
        super().__init__(message or text, Retry_After="2")
