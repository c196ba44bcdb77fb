"""The fields of a city: the one table that form, pages, rules, CSV files and history follow.

A new field is a column in models.CityColumns, a migration, and an entry here.
"""

import dataclasses
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from flask_babel import format_decimal

from app.cities.models import TEXT_LENGTH, USERS_MOST
from app.text import (
    BIDI_CONTROLS,
    COMPOSED_FROM,
    CONTROLS,
    N_,
    NUMBER_LENGTH,
    Message,
    compose,
    excerpt,
    has_category,
    is_blank,
    read_number,
    trim,
    without_bidi,
)

Value = str | int | None
Values = dict[str, Value]  # by the names of fields
Input = Mapping[str, str | int | None]  # the same as typed or sent


@dataclasses.dataclass(frozen=True)
class Field:
    """One field of a city.

    `name` is its name in code, in the history and in messages; `column` that of its column;
    `headers` are the names of its column in a CSV file: the first is written, all are read.
    `check` makes a value of a text that is not empty, or returns what is wrong with it. `empty` is
    the message for an empty text; without one the field is optional, and an empty text is None.
    Forms and imports cut a text to `length` characters, which is more than `check` accepts: the
    rule still reports it. `form_name` is the name in HTML, where that is another one, and
    `attributes` are those of the control, which is a text area if `rows` is among them. `examples`
    are its cells in the two lines that the import page shows.
    """

    name: str
    column: str
    label: Message
    headers: tuple[str, ...]
    check: Callable[[str], Value | Message]
    length: int
    empty: Message | None = None
    numeric: bool = False
    help: Message | None = None
    form_name: str | None = None
    attributes: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    examples: tuple[str, str] = ("", "")

    @property
    def sent_as(self) -> str:
        return self.form_name or self.name

    @property
    def required(self) -> bool:
        """True if a city cannot be saved without it."""
        return self.empty is not None

    def read(self, text: str) -> Value | Message:
        """The value of a text as typed, or what is wrong with it."""
        text = text.strip()
        if is_blank(text[: self.length]):
            return self.empty
        return self.check(text)

    def write(self, value: Value) -> str:
        """A value as plain text, which `read()` understands."""
        return "" if value is None else str(value)

    def show(self, value: Value) -> str:
        """A value for people to read."""
        return format_decimal(value) if isinstance(value, int) else without_bidi(self.write(value))


def check_text(text: str, most: int) -> str | Message:
    """One line of text, composed as NFC. Invisible characters stay inside it, where emoji and
    Persian need them, but none that changes the direction of the text around it."""
    text = trim(compose(text, most))
    if len(text) > most:
        return N_("At most %(most)s characters; these are %(count)s.", most=most, count=len(text))
    if has_category(text, CONTROLS):
        return N_("Line breaks and control characters are not allowed.")
    found = next((character for character in text if character in BIDI_CONTROLS), None)
    if found is not None:
        return N_(
            "The invisible character %(code)s is not allowed: it changes the direction of text.",
            code=f"U+{ord(found):04X}",
        )
    return text


def too_long(most: int) -> int:
    """How many characters are more than `most`, even after composing."""
    return COMPOSED_FROM * most + 1


def check_number(text: str, most: int) -> int | Message:
    """A whole number from 0 on; the message shows what was read."""
    number = read_number(text)
    if number is not None and number <= most:
        return number
    return N_(
        "“%(typed)s” is not a whole number from 0 to %(most)s.", typed=excerpt(text), most=most
    )


CITY = Field(
    "city",
    "cityname",
    N_("City"),
    ("cityname", "city", "城市", "市"),
    partial(check_text, most=TEXT_LENGTH),
    length=too_long(TEXT_LENGTH),
    empty=N_("City is empty."),
    examples=("深圳市", "上海市"),
)
PROVINCE = Field(
    "province",
    "provincename",
    N_("Province"),
    ("provincename", "province", "省份", "省"),
    partial(check_text, most=TEXT_LENGTH),
    length=too_long(TEXT_LENGTH),
    empty=N_("Province is empty."),
    attributes={"list": "provinces"},
    examples=("广东", "上海"),
)
USERS = Field(
    "users",
    "usernumber",
    N_("Users"),
    ("usernumber", "number", "users", "用户数", "用戶數", "人数", "人數"),
    partial(check_number, most=USERS_MOST),
    length=NUMBER_LENGTH + 1,
    empty=N_("Users is empty. It must be a whole number from 0 to %(most)s.", most=USERS_MOST),
    numeric=True,
    help=N_("A whole number, such as 7424000 or 7,424,000."),
    form_name="number",  # as in the original program's form
    attributes={"inputmode": "numeric"},
    examples=("17494398", "24874500"),
)

# In the order of forms and pages; the first two say which city is meant.
FIELDS = (CITY, PROVINCE, USERS)
# In the order of CSV files, which the original program's table began.
CSV_FIELDS = (PROVINCE, CITY, *FIELDS[2:])
DETAILS = FIELDS[2:]


def values_of(row: Any) -> Values:
    """The values of a row of the register, or of a removed city."""
    return {field.name: getattr(row, field.column) for field in FIELDS}


def columns_of(values: Values) -> dict[str, Any]:
    """Values by the names of their columns."""
    return {field.column: values[field.name] for field in FIELDS}
