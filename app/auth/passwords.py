"""Passwords: the rules, hashing, and the first password that the server generates."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from flask import current_app
from werkzeug.security import check_password_hash, generate_password_hash

from app.auth.common_passwords import read_common
from app.auth.models import PASSWORD_LONGEST, PASSWORD_SHORTEST
from app.concurrency import run_in_thread
from app.database.engine import release_connection
from app.errors import Invalid, Unavailable
from app.text import N_, fold, same_key

PASSWORD_LENGTH_MESSAGE = N_(
    "A password has %(low)d to %(high)d characters.", low=PASSWORD_SHORTEST, high=PASSWORD_LONGEST
)
COMMON_MESSAGE = N_("This is one of the most common passwords. Choose another one.")
BUSY = N_("Many people are signing in right now. Try again in a moment.")
SITE_NAME = "gazetteer"
# The method of hashes before OWASP recommended the present one, and what takes as long as the
# difference, so that the time of a sign-in does not show whose hash is old.
FORMER_METHOD, DIFFERENCE = "scrypt:32768:8:1", "scrypt:32768:8:2"
# Hashes at once in this process. They take the processor from all other requests, and the threads
# from those that write files. More wait for so many seconds.
turns = threading.BoundedSemaphore(2)
TURN_SECONDS = 2.0
# At most one of them is for browsers that have never signed in under the name they send: a flood of
# guesses leaves the other to people who are known.
stranger_turns = threading.BoundedSemaphore(1)
# 32 letters and digits, without the ambiguous 0 and o, 1 and l.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def check_password(password: str, name: str) -> None:
    """Any characters, but none of the common passwords, not only spaces or one character, and not
    only a name, once or repeated, with or without digits. It is compared without case, width,
    spaces and invisible characters, and stored as it is."""
    if not PASSWORD_SHORTEST <= len(password) <= PASSWORD_LONGEST:
        raise Invalid(fields={"password": PASSWORD_LENGTH_MESSAGE})
    typed = visible(password)
    if len(set(typed)) <= 1 or typed in read_common():
        raise Invalid(fields={"password": COMMON_MESSAGE})
    if is_name_with_digits(typed, visible(name)):
        raise Invalid(fields={"password": N_("The password must not be the name.")})
    if is_name_with_digits(typed, SITE_NAME):
        raise Invalid(fields={"password": N_("The password must not be the name of this site.")})


def is_name_with_digits(typed: str, name: str) -> bool:
    """True for the name, once or repeated, and digits before, between or after."""
    rest = typed.replace(name, "")
    return rest != typed and (not rest or rest.isdecimal())


def visible(text: str) -> str:
    """A text as it is compared with words that must not be a password."""
    return same_key(fold(text)).replace(" ", "")


def hash_password(password: str) -> str:
    """scrypt (RFC 7914) with N=32768, r=8, p=3 and a random salt: 32 MB and about 250 ms, in a
    thread and without a connection to the database, so before the transaction that stores the
    hash."""
    release_connection()
    return str(run_in_turn(generate_password_hash, password, method()))


def method() -> str:
    """How new passwords are hashed: the parameters of scrypt."""
    return str(current_app.config["PASSWORD_METHOD"])


def is_outdated(stored: str) -> bool:
    """True for a hash with other parameters than those of new ones."""
    return stored.partition("$")[0] != method()


def dummy_hash(method: str) -> str:
    """A hash that no password has."""
    return f"{method}${'0' * 16}${'0' * 128}"


def verify_password(stored: str | None, password: str, stranger: bool = False) -> bool:
    """True if this is the password behind a hash; takes as long if there is no hash. Instead of a
    password over the limit an empty one is hashed."""
    release_connection()
    if len(password) > PASSWORD_LONGEST:
        password = ""
    with turn(stranger_turns) if stranger else nullcontext():
        verified = bool(run_in_turn(check_hash, stored or dummy_hash(method()), password))
    return verified and stored is not None


def check_hash(stored: str, password: str) -> bool:
    verified = check_password_hash(stored, password)
    if stored.startswith(f"{FORMER_METHOD}$"):
        check_password_hash(dummy_hash(DIFFERENCE), password)
    return verified


def run_in_turn(work: Callable[..., Any], *args: Any) -> Any:
    """Hash in a thread, when it is its turn."""
    with turn(turns):
        return run_in_thread(work, *args)


@contextmanager
def turn(of: threading.BoundedSemaphore) -> Iterator[None]:
    """Wait for a turn; Unavailable if that takes too long."""
    if not of.acquire(timeout=TURN_SECONDS):
        raise Unavailable(BUSY)
    try:
        yield
    finally:
        of.release()


def random_password() -> str:
    """Four groups of seven characters, 140 random bits."""
    groups = ("".join(secrets.choice(ALPHABET) for _i in range(7)) for _j in range(4))
    return "-".join(groups)
