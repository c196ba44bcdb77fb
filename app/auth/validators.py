"""Validators of form fields, from the limits in models.py. Forms of other packages use them too."""

from collections.abc import Callable
from functools import partial
from typing import Any

from wtforms.validators import Length, ValidationError

from app.auth.models import NAME_LENGTH, PASSWORD_LONGEST, PASSWORD_SHORTEST
from app.auth.passwords import PASSWORD_LENGTH_MESSAGE
from app.auth.rules import NAME_LENGTH_MESSAGE
from app.text import Message, compose


class TextLength(Length):  # type: ignore[misc]
    """The length of a text, with the message of a rule. `stored` turns what was typed into the text
    that is stored, whose length counts. With `low` the field is required."""

    def __init__(
        self, low: int, high: int, message: Message, stored: Callable[[str], str] = str
    ) -> None:
        super().__init__(low, high, message)
        if low > 0:
            self.field_flags["required"] = True
        self.stored = stored

    def __call__(self, form: Any, field: Any) -> None:
        if not self.min <= len(self.stored(field.data or "")) <= self.max:
            raise ValidationError(str(self.message))


def name_length() -> TextLength:
    """Checks the name of a person; InputRequired or the service refuses an empty one."""
    return TextLength(-1, NAME_LENGTH, NAME_LENGTH_MESSAGE, partial(compose, most=NAME_LENGTH))


def password_length() -> TextLength:
    return TextLength(PASSWORD_SHORTEST, PASSWORD_LONGEST, PASSWORD_LENGTH_MESSAGE)


# Without maxlength: a browser would cut off what is pasted, without showing it.
NEW_PASSWORD = {"autocomplete": "new-password", "maxlength": False}
