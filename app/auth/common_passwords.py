"""The most common passwords, which nobody may choose.

They are copied from an installed package when assets are built, because importing that package in
every worker would take 20 MB. As many of them are shorter than a password may be, and could be made
longer by spaces, the list has the 10,000 most common, and the 10,000 most common that are long
enough.
"""

import tempfile
from functools import cache
from pathlib import Path

from app.auth.models import PASSWORD_SHORTEST

FILE = Path(__file__).with_name("common-passwords.txt")
COUNT = 10_000
MISSING = f"{FILE.name} is missing; run `flask build-assets`"


def build() -> int:
    """Write the list from the package zxcvbn; returns how many it has."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    ranked = FREQUENCY_LISTS["passwords"]
    long = [word for word in ranked if len(word) >= PASSWORD_SHORTEST]
    words = sorted({*ranked[:COUNT], *long[:COUNT]})
    with tempfile.TemporaryDirectory(dir=FILE.parent) as folder:
        draft = Path(folder) / FILE.name
        draft.write_text("\n".join(words))
        draft.replace(FILE)
    return len(words)


@cache
def read_common() -> frozenset[str]:
    """The list, read once in each process."""
    try:
        return frozenset(FILE.read_text().split("\n"))
    except OSError:
        raise RuntimeError(MISSING) from None
