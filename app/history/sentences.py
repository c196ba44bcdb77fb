"""Filling in the sentences of the history."""

import re
from collections.abc import Mapping

from markupsafe import Markup

PLACEHOLDER = re.compile(r"( ?)%\((\w+)\)s( ?)")
CHINESE = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")


def fill_sentence(sentence: object, values: Mapping[str, str]) -> Markup:
    """A translated sentence with its values, which are escaped unless they are Markup. A space
    beside a value separates Chinese from Latin letters; between Chinese and Chinese it is left
    out."""
    text = str(sentence)

    def put(found: re.Match[str]) -> str:
        value = Markup("{}").format(values[found[2]])
        shown = value.striptags()
        before = found[1] if needs_space(text[: found.start()][-1:], shown[:1]) else ""
        after = found[3] if needs_space(shown[-1:], text[found.end() :][:1]) else ""
        return f"{before}{value}{after}"

    # Our own text; the values are escaped.
    return Markup(PLACEHOLDER.sub(put, text))  # noqa: S704


def needs_space(one: str, other: str) -> bool:
    return not (CHINESE.match(one) and CHINESE.match(other))
