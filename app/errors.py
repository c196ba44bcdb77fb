"""Exceptions of the domain, each with its HTTP status."""

from collections.abc import Mapping

from app.text import N_, Message, join_sentences

# Either a message that is translated when it is shown, or text that needs no translation.
Text = Message | str


class DomainError(Exception):
    """A request that a rule refuses; `status` and `headers` are those of the response."""

    status = 422
    text: Text = ""  # the message, unless another one is given
    event = ""  # its name in the security log, for what belongs there
    # What JSON says besides the message.
    details: Mapping[str, object] = {}

    def __init__(self, message: Text = "", **headers: str) -> None:
        super().__init__(message or self.text)
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    @property
    def message(self) -> str:
        """The text to show, in the language of the request."""
        return str(self.args[0])

    def __str__(self) -> str:
        return self.message


class Invalid(DomainError):
    """Invalid input; `fields` maps names of fields to error messages."""

    def __init__(self, message: Text = "", fields: Mapping[str, Text] | None = None) -> None:
        self.fields = fields or {}
        super().__init__(message)

    @property
    def message(self) -> str:
        """The message, or those of the fields."""
        return super().message or join_sentences(self.fields.values())


class Unauthorized(DomainError):
    """The client is not signed in."""

    status = 401
    text = N_("Please sign in, or send a token.")

    def __init__(self, message: Text = "") -> None:
        super().__init__(message, WWW_Authenticate="Bearer")


class NotFound(DomainError):
    """It does not exist, or this person may not know that it does."""

    status = 404


class Forbidden(DomainError):
    """This person may see it, but not do this to it."""

    status = 403
    event = "refused"


class Conflict(DomainError):
    """Someone else changed it first."""

    status = 409


class Locked(Conflict):
    """Another transaction has locked the rows that this one has to change."""

    text = N_("Someone else is changing this right now. Try again in a moment.")

    def __init__(self, message: Text = "") -> None:
        super().__init__(message, Retry_After="2")


class TooLarge(DomainError):
    """Larger than a limit, which the message names."""

    status = 413


class NoSpace(DomainError):
    """The disk is nearly full."""

    status = 507
    text = N_("Nothing was saved. Tell the administrator of this server.")


class NotAForm(DomainError):
    """The request body is not a form."""

    status = 415
    types = ("application/x-www-form-urlencoded", "multipart/form-data")
    text = N_(
        "This address takes forms only: send the fields as %(one)s or %(other)s.",
        one=types[0],
        other=types[1],
    )

    def __init__(self) -> None:
        super().__init__(Accept_Post=", ".join(self.types))


class TooMany(DomainError):
    """Too many requests; `seconds` is how long to wait before the next one."""

    status = 429

    def __init__(self, message: Text, seconds: int) -> None:
        super().__init__(message, Retry_After=str(max(1, seconds)))


class TooLong(DomainError):
    """A statement was ended because it took too long; again it would take as long."""

    status = 503
    text = N_("This took too long. Narrow the search, or try again later.")


class ChangeTooLong(TooLong):
    """The same during a change, which may have waited for several rows that others change."""

    text = N_(
        "This took too long: someone else may be changing the same rows. Try again in a moment."
    )

    def __init__(self) -> None:
        super().__init__(Retry_After="2")


class Refused(DomainError):
    """The database refuses what this needs, and will until an operator changes something."""

    status = 500
    text = N_("The database refused this. Tell the administrator of this server.")


class Fault(DomainError):
    """A fault of ours, which was logged."""

    status = 500
    text = N_("The error was logged. Trying again may help.")


class Unavailable(DomainError):
    """The database or Redis does not answer."""

    status = 503
    text = N_("A service behind this page does not answer. Try again in a moment.")

    def __init__(self, message: Text = "") -> None:
        super().__init__(message, Retry_After="2")


class ClientGone(DomainError):
    """The client closed its connection before its request had its turn."""

    status = 499  # as nginx logs it
