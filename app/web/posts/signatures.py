"""Signatures with the installation's own key."""

import base64
import hashlib
import hmac

from app.current import settings


def mac(purpose: str, text: str) -> str:
    """The HMAC-SHA256 of a text, under a key of its own for each purpose."""
    key = hmac.digest(settings().secret_key.encode(), purpose.encode(), hashlib.sha256)
    digest = hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def is_same(sent: str, expected: str) -> bool:
    """Compare in constant time; `sent` may be any text."""
    return hmac.compare_digest(sent.encode("utf-8", "surrogatepass"), expected.encode())
