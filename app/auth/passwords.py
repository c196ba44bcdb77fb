"""Passwords: the rules, hashing, and the first password that the server generates."""

import secrets
import threading
from collections.abc import Callable
from typing import Any

from werkzeug.security import check_password_hash, generate_password_hash

from app.auth.models import PASSWORD_LONGEST, PASSWORD_SHORTEST
from app.concurrency import run_in_thread
from app.database.engine import db
from app.errors import Invalid, Unavailable
from app.text import N_, fold

PASSWORD_LENGTH_MESSAGE = N_(
    "A password has %(low)d to %(high)d characters.", low=PASSWORD_SHORTEST, high=PASSWORD_LONGEST
)
# Checked when nobody has the name, so that signing in takes as long.
DUMMY_HASH = f"scrypt:32768:8:1${'0' * 16}${'0' * 128}"
# Hashes at once in this process. They take the processor from all other requests, and the threads
# from those that write files. More wait for so many seconds.
turns = threading.BoundedSemaphore(2)
TURN_SECONDS = 2.0
# 32 letters and digits, without the ambiguous 0 and o, 1 and l.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def check_password(password: str, name: str) -> None:
    """Any characters, but not the person's name. Nothing is trimmed or folded."""
    if not PASSWORD_SHORTEST <= len(password) <= PASSWORD_LONGEST:
        raise Invalid(fields={"password": PASSWORD_LENGTH_MESSAGE})
    if fold(password) == fold(name):
        raise Invalid(fields={"password": N_("The password must not be the name.")})


def hash_password(password: str) -> str:
    """scrypt (RFC 7914) with N=32768, r=8, p=1 and a random salt: about 60 ms, in a thread and
    without a connection to the database, so before the transaction that stores the hash."""
    db.session.rollback()
    return str(run_in_turn(generate_password_hash, password, "scrypt"))


def verify_password(stored: str | None, password: str) -> bool:
    """True if this is the password behind a hash; takes as long if there is no hash. Instead of a
    password over the limit an empty one is hashed."""
    db.session.rollback()  # no connection is held while the password is hashed
    if len(password) > PASSWORD_LONGEST:
        password = ""
    verified = bool(run_in_turn(check_password_hash, stored or DUMMY_HASH, password))
    return verified and stored is not None


def run_in_turn(work: Callable[..., Any], *args: Any) -> Any:
    """Hash in a thread, when it is its turn; Unavailable if that takes too long."""
    if not turns.acquire(timeout=TURN_SECONDS):
        raise Unavailable(N_("Many people are signing in right now. Try again in a moment."))
    try:
        return run_in_thread(work, *args)
    finally:
        turns.release()


def random_password() -> str:
    """Four groups of five characters, 100 random bits."""
    groups = ("".join(secrets.choice(ALPHABET) for _i in range(5)) for _j in range(4))
    return "-".join(groups)
