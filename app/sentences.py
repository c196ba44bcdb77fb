"""Sentences that are kept in the database and translated when somebody reads them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask_babel import gettext


@dataclass(frozen=True)
class Sentence:
    """An English text and its values; `str()` says it in the language of the request."""

    text: str
    values: dict[str, Any]

    def __str__(self) -> str:
        return str(gettext(self.text, **self.values))


def N_(text: str, **values: str | int) -> Sentence:
    """A sentence to be said later. By this name the extraction of texts finds it."""
    return Sentence(text, values)


def write_sentences(sentences: Iterable[Sentence]) -> str:
    """As they are kept: without a language."""
    return json.dumps([[one.text, one.values] for one in sentences], ensure_ascii=False)


def read_sentences(kept: str) -> str:
    """What was kept, in the reader's language. Earlier releases kept what was said itself."""
    if not kept.startswith("["):
        return kept
    return " ".join(str(Sentence(text, values)) for text, values in json.loads(kept))
