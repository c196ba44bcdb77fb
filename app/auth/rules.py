"""The rules about names, roles and labels, as functions on plain values."""

from app.actor import Role
from app.auth.models import (
    NAME_KEY_LENGTH,
    NAME_LENGTH,
    TOKEN_DAYS,
    TOKEN_DAYS_CHOICES,
    TOKEN_LABEL_LENGTH,
)
from app.errors import Invalid
from app.text import N_, compose, fold, has_invisible, read_line

NAME_LENGTH_MESSAGE = N_("A name has 1 to %(n)d characters.", n=NAME_LENGTH)
LABEL_LENGTH_MESSAGE = N_("A label is one line of 1 to %(n)d characters.", n=TOKEN_LABEL_LENGTH)


def fold_name(name: str) -> str:
    """The key of a name, in any case and width. Text longer than a key is not a name and has none:
    folding half a million characters takes seconds."""
    return "" if len(name) > NAME_KEY_LENGTH else fold(name).strip()


def check_name(name: str) -> str:
    """The name as it is stored: NFC and trimmed."""
    name = compose(name, NAME_LENGTH)
    # Some characters become up to 18 when folded, and the key must fit its column.
    if not 1 <= len(name) <= NAME_LENGTH or len(fold_name(name)) > NAME_KEY_LENGTH:
        raise Invalid(fields={"name": NAME_LENGTH_MESSAGE})
    if has_invisible(name):
        raise Invalid(fields={"name": N_("A name has no control or invisible characters.")})
    return name


def check_role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise Invalid(fields={"role": N_("Choose one of the roles.")}) from None


def check_days(days: str) -> int:
    """For how many days a token is valid; the default if nothing was chosen."""
    if not days:
        return TOKEN_DAYS
    if days not in map(str, TOKEN_DAYS_CHOICES):
        raise Invalid(fields={"days": N_("Choose one of the periods.")})
    return int(days)


def check_label(label: str) -> str:
    """The label of a token as it is stored."""
    line = read_line(label, TOKEN_LABEL_LENGTH)
    if line is None:
        raise Invalid(fields={"label": LABEL_LENGTH_MESSAGE})
    return line
