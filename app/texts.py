"""Texts that people type, as they are kept: composed, and without what no name may hold."""

import unicodedata
from collections.abc import Set

# Categories of Unicode: controls, surrogates that stand alone, the separators of lines and
# paragraphs.
CONTROLS = frozenset({"Cc", "Cs", "Zl", "Zp"})
# What cannot be seen either: in the names of cities and files it has its use (emoji, Persian).
INVISIBLE = CONTROLS | {"Cf"}
# Composing makes one character of at most four. What is longer than so many times a limit is too
# long in any form and is not composed: of certain texts a megabyte would take minutes.
COMPOSED_FROM = 4


def compose(text: str, most: int) -> str:
    """Composed as NFC, without blanks around it; what is longer than `most` in any form stays as
    it is."""
    text = text.strip()
    return text if len(text) > COMPOSED_FROM * most else unicodedata.normalize("NFC", text).strip()


def has_any(text: str, categories: Set[str]) -> bool:
    """Whether a character of one of these categories is in it."""
    return any(unicodedata.category(character) in categories for character in text)
