"""The limits on guessing passwords, tokens and set-up links (OWASP ASVS 6.3.1)."""

import time
from contextlib import suppress
from hashlib import sha256
from zlib import crc32

from redis.exceptions import RedisError

from app.auth.passwords import BUSY
from app.auth.rules import fold_name
from app.auth.sign_in.devices import find_device
from app.current import mac
from app.database.service import after_commit
from app.errors import TooMany, Unavailable
from app.redis import rate_limit
from app.redis.rate_limit import DAY, Hit, Limit, per_network
from app.text import N_

# Wrong attempts a minute for one name from one address, and from one address over all names.
WRONG_PER_NAME = 5
WRONG_PER_ADDRESS = 20
# Wrong attempts a day for one name, from all browsers that have never signed in under it.
WRONG_PER_DAY = 100
# Wrong attempts of somebody who is known: by a browser that has signed in as this person before,
# or by their session. Nobody else's attempts count there.
KNOWN_PER_MINUTE, KNOWN_PER_DAY = 5, 50
# The attempts a day under names that nobody has are counted in so many groups, or invented names
# would fill Redis; a limit that only existing names have would show which exist.
GROUPS = 1024

# A browser's limit is one of so many of its person: who signs in again and again without sending
# the cookie makes as many browsers, and could guess the next password from each of them.
BROWSERS = 64
# Seconds before each look whether others are resolved: 4.5 altogether, in which two processors hash
# more than 30 passwords.
PAUSES = [tenth / 10 for tenth in range(10)]

TOO_MANY = N_("Too many wrong attempts. Wait a minute, then try again.")
TOO_MANY_TODAY = N_(
    "Too many wrong attempts within a day. Use a browser in which you have signed in before, wait "
    "until tomorrow, or ask an administrator."
)


def begin_attempt(*limits: Limit) -> Hit:
    """Count an attempt under each limit before it is known whether it is wrong, or raise TooMany.
    If others that are not known yet take the room that is left, it waits for them; Unavailable if
    that takes too long."""
    for pause in PAUSES:
        time.sleep(pause)
        attempt = rate_limit.hit(*limits, unresolved=True)
        if not attempt.busy:
            refuse_full(attempt)
            return attempt
    raise Unavailable(BUSY)


def refuse_full(attempt: Hit) -> None:
    if attempt.full:
        text = TOO_MANY_TODAY if attempt.full.seconds == DAY else TOO_MANY
        raise TooMany(text, attempt.seconds)


def count_wrong(what: str, address: str) -> None:
    """Count a wrong token or set-up link, or raise TooMany."""
    refuse_full(rate_limit.hit(*per_network(WRONG_PER_ADDRESS, what, address)))


def stranger_limits(person_id: int | None, name: str, address: str) -> tuple[Limit, ...]:
    """The limits of a browser that has never signed in under this name."""
    who, day = name_keys(person_id, name)
    return (
        *per_network(WRONG_PER_NAME, who, address),
        *per_network(WRONG_PER_ADDRESS, "sign-in:address", address),
        Limit(WRONG_PER_DAY, day, DAY),
    )


def name_keys(person_id: int | None, name: str) -> tuple[str, str]:
    """The keys of a name, for a minute and for a day. A name that nobody has is not stored, because
    people sometimes type their password into its field."""
    if person_id is not None:
        return person_key(person_id), f"{person_key(person_id)}:day"
    digest = mac("sign-in-name", fold_name(name))
    return f"sign-in:nobody:{digest}", f"sign-in:nobody:day:{crc32(digest.encode()) % GROUPS}"


def person_key(person_id: int) -> str:
    return f"sign-in:person:{person_id}"


def own_limits(person_id: int, devices: str) -> tuple[Limit, ...]:
    """The limits of somebody who types their password again, in a browser with this cookie. Without
    one all sessions of the person count together."""
    by = "session"
    if device := find_device(devices, person_id):
        by = f"device:{int.from_bytes(sha256(device.name.encode()).digest()[:4]) % BROWSERS}"
    key = f"{person_key(person_id)}:{by}"
    return Limit(KNOWN_PER_MINUTE, key), Limit(KNOWN_PER_DAY, key, DAY)


def forget_attempts(person_id: int) -> None:
    """Forget all wrong attempts under a person's name."""
    rate_limit.forget(person_key(person_id))


def forget_after_commit(person_id: int) -> None:
    """Forget them once the running service has committed, if Redis answers."""

    def forget() -> None:
        with suppress(RedisError):
            forget_attempts(person_id)

    after_commit(forget)
