"""Passwords: the rules, hashing, and the first password that the server generates."""

import secrets

from werkzeug.security import check_password_hash, generate_password_hash

from app.auth.models import PASSWORD_LONGEST, PASSWORD_SHORTEST
from app.concurrency import run_in_thread
from app.errors import Invalid
from app.text import N_, fold

PASSWORD_LENGTH_MESSAGE = N_(
    "A password has %(low)d to %(high)d characters.", low=PASSWORD_SHORTEST, high=PASSWORD_LONGEST
)
# The hash of no password: signing in takes as long if nobody has the name.
NOBODY = f"scrypt:32768:8:1${'0' * 16}${'0' * 128}"
# 32 letters and digits that are not confused when read aloud: no 0 and o, no 1 and l.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def check_password(password: str, name: str) -> None:
    """PASSWORD_SHORTEST to PASSWORD_LONGEST characters of any kind, and not the person's name.
    Nothing is trimmed or folded."""
    if not PASSWORD_SHORTEST <= len(password) <= PASSWORD_LONGEST:
        raise Invalid(fields={"password": PASSWORD_LENGTH_MESSAGE})
    if fold(password) == fold(name):
        raise Invalid(fields={"password": N_("The password must not be the name.")})


def hash_password(password: str) -> str:
    """scrypt (RFC 7914) with N=32768, r=8, p=1 and a random salt; about 60 ms, in a thread."""
    return str(run_in_thread(generate_password_hash, password, "scrypt"))


def verify_password(stored: str | None, password: str) -> bool:
    """True if this is the password behind a hash; takes as long if there is no hash. A password
    longer than the limit is not worth hashing: an empty one is hashed instead."""
    if len(password) > PASSWORD_LONGEST:
        password = ""
    verified = bool(run_in_thread(check_password_hash, stored or NOBODY, password))
    return verified and stored is not None


def random_password() -> str:
    """Four groups of five characters, 100 random bits."""
    groups = ("".join(secrets.choice(ALPHABET) for _i in range(5)) for _j in range(4))
    return "-".join(groups)
