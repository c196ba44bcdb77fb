"""Which sums and texts are valid, and the keys of their results."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from app.errors import Invalid
from app.jobs.kinds import Args
from app.text import N_, Bytes, Message

DIGITS_MOST = 100
TEXT_BYTES = 1_000_000
NUMBER = re.compile(rf"-?[0-9]{{1,{DIGITS_MOST}}}")
NO_NUMBER = N_("This must be a whole number of at most %(most)s digits.", most=DIGITS_MOST)
NO_TEXT = N_("Type or send a text.")


def check_sum(args: Args) -> Args:
    """Two whole numbers in plain digits, which are stored as text: JSON has no large numbers."""
    found = {name: str(args.get(name, "")).strip() for name in ("a", "b")}
    wrong: dict[str, Message | str] = {
        name: NO_NUMBER for name, text in found.items() if not NUMBER.fullmatch(text)
    }
    if wrong:
        raise Invalid(fields=wrong)
    return {name: str(int(text)) for name, text in found.items()}


def key_of_sum(args: Args) -> str:
    """A digest of kind and arguments, which no text has."""
    numbers = f"{args['a']} {args['b']}"
    return f"sum-{hashlib.sha256(numbers.encode()).hexdigest()[:40]}"


def check_text(args: Args) -> Args:
    """A text that is not empty."""
    text = args.get("text")
    if not isinstance(text, str) or not text:
        raise Invalid(fields={"text": NO_TEXT})
    if len(text.encode("utf-8", "replace")) > TEXT_BYTES:
        most = N_("The text has more than %(most)s.", most=Bytes(TEXT_BYTES))
        raise Invalid(fields={"text": most})
    return {"text": text.encode("utf-8", "replace").decode()}


def key_of_text(args: Args) -> str:
    """The SHA-256 of the text."""
    return hashlib.sha256(args["text"].encode()).hexdigest()


def describe_text(args: Args) -> Mapping[str, str]:
    """The text itself is nobody else's business."""
    return {}


def describe_sum(args: Mapping[str, Any]) -> Mapping[str, str]:
    return {"a": args["a"], "b": args["b"]}
