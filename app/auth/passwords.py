"""Passwords: what counts as one, how it is kept, and the first one that the server makes up."""

import secrets

from flask_babel import gettext as _
from werkzeug.security import check_password_hash, generate_password_hash

from app.auth.models import PASSWORD_LONGEST, PASSWORD_SHORTEST
from app.concurrency import run_in_thread
from app.errors import Invalid
from app.text import fold

# As texts name them.
LENGTHS = {"low": PASSWORD_SHORTEST, "high": PASSWORD_LONGEST}
# A hash that no password has: signing in costs the same whether the name exists or not.
NOBODY = f"scrypt:32768:8:1${'0' * 16}${'0' * 128}"
# 32 letters and digits that nobody confuses when reading them out: no 0 and o, no 1 and l.
ALPHABET = "abcdefghijkmnpqrstuvwxyz23456789"


def check_password(password: str, name: str, field: str = "password") -> None:
    """PASSWORD_SHORTEST to PASSWORD_LONGEST characters, any, not the name itself. Nothing is
    trimmed or folded."""
    if not PASSWORD_SHORTEST <= len(password) <= PASSWORD_LONGEST:
        raise Invalid(
            fields={field: _("A password has %(low)d to %(high)d characters.", **LENGTHS)}
        )
    if fold(password) == fold(name):
        raise Invalid(fields={field: _("The password must not be the name.")})


def hash_password(password: str) -> str:
    """scrypt (RFC 7914) with N=32768, r=8, p=1 and a random salt; off the hub, about 60 ms."""
    return str(run_in_thread(generate_password_hash, password, "scrypt"))


def matches(kept: str | None, password: str) -> bool:
    """Whether this is the password behind a hash; takes as long when there is no hash. Longer
    ones than anybody can have are not worth hashing, an empty one is hashed in their place."""
    if len(password) > PASSWORD_LONGEST:
        password = ""
    return bool(run_in_thread(check_password_hash, kept or NOBODY, password)) and kept is not None


def random_password() -> str:
    """Four groups of five characters, 100 random bits."""
    groups = ("".join(secrets.choice(ALPHABET) for _i in range(5)) for _j in range(4))
    return "-".join(groups)
