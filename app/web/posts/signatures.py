"""The action of each form of a member is signed for this person, path and day, so that it is known
before anything is read whose form it is, also when the session has ended."""

import hmac
from urllib.parse import unquote

from flask import request

from app.current import actor, mac
from app.text import parse_integer
from app.times import day_number
from app.web.urls import SIGNATURE, split_url


def is_same(sent: str, expected: str) -> bool:
    """Compare in constant time; `sent` may be any text."""
    return hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), expected.encode())


def signature(person: int, path: str, day: int) -> str:
    return f"{person}.{day}.{mac('form-action', f'{person}|{path}|{day}')[:22]}"


def signed(url: str) -> str:
    """The URL as the action of a form; unchanged for visitors."""
    person = actor().id
    if person is None:
        return url
    text = signature(person, unquote(split_url(url).path), day_number())
    return f"{url}{'&' if '?' in url else '?'}{SIGNATURE}={text}"


def signer() -> int | None:
    """The id of the person for whom the action of this form was signed, today or yesterday."""
    sent = request.args.get(SIGNATURE, "")
    person = parse_integer(sent.partition(".")[0], 1, 2**63 - 1)
    if person is None:
        return None
    days = (day_number(), day_number() - 1)
    is_ours = any(is_same(sent, signature(person, request.path, day)) for day in days)
    return person if is_ours else None
