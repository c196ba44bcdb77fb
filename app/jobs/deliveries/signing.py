"""The signature of a delivery, by which the receiver knows that it comes from this installation and
is not an old one that somebody sends again."""

import hashlib
import hmac

from app.current import derived_key

HEADER = "X-Gazetteer-Signature"


def key_of(origin: str) -> str:
    """The key of a server, which its operator knows too. Each has one of its own, so that none can
    sign for another."""
    return derived_key(f"deliveries to {origin}").hex()


def sign(key: str, timestamp: int, body: bytes) -> str:
    """The value of the header: HMAC-SHA256 over the time in seconds, a dot, and the body."""
    message = b"%d." % timestamp + body
    return f"t={timestamp},v1={hmac.new(key.encode(), message, hashlib.sha256).hexdigest()}"
