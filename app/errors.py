"""The refusals of the domain. Each has the HTTP status that answers it."""

from collections.abc import Mapping

from app.text import N_, Message

# A message that is translated when it is shown, or a text that needs no translation.
Text = Message | str


class DomainError(Exception):
    """A refusal by a rule; `status` is the answer's HTTP status, `headers` go into the answer."""

    status = 422

    def __init__(self, message: Text = "", **headers: str) -> None:
        super().__init__(message)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def message(self) -> str:
        """What to tell the person, in the language of the request."""
        return str(self.args[0])

    def __str__(self) -> str:
        return self.message


class Invalid(DomainError):
    """Input that breaks rules; `fields` maps a field's name to what is wrong with it."""

    def __init__(self, message: Text = "", fields: Mapping[str, Text] | None = None) -> None:
        self.fields = fields or {}
        super().__init__(message)

    @property
    def message(self) -> str:
        """The message, or those of the fields."""
        return super().message or " ".join(str(text) for text in self.fields.values())


class Unauthorized(DomainError):
    """Nobody known asks."""

    status = 401

    def __init__(self, message: Text = "") -> None:
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
        super().__init__(N_("Somebody else is changing this right now. Try again in a moment."))


class TooLarge(DomainError):
    """More than a limit allows; the message names it."""

    status = 413


class NoSpace(DomainError):
    """The disk is nearly full."""

    status = 507

    def __init__(self, message: Text = "") -> None:
        super().__init__(message or N_("Nothing was saved. Tell the administrator of this server."))


class NotAForm(DomainError):
    """The body is JSON or something else, where a form is expected."""

    status = 415
    types = ("application/x-www-form-urlencoded", "multipart/form-data")

    def __init__(self) -> None:
        message = N_(
            "This address takes forms only: send the fields as %(one)s or %(other)s.",
            one=self.types[0],
            other=self.types[1],
        )
        super().__init__(message, Accept_Post=", ".join(self.types))


class TooMany(DomainError):
    """Too often in a short time; `seconds` until it is worth trying again."""

    status = 429

    def __init__(self, message: Text, seconds: int) -> None:
        super().__init__(message, Retry_After=str(max(1, seconds)))


class Unavailable(DomainError):
    """A service that the answer needs is away."""

    status = 503

    def __init__(self, message: Text = "") -> None:
        text = N_("A service behind this page does not answer. Try again in a moment.")
        super().__init__(message or text, Retry_After="2")
