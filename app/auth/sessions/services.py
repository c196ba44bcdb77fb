"""A person's own sessions: listing them, and ending others than the one of the request."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.actor import Actor, Role
from app.auth.sessions.content import SignedIn, decode, read_person
from app.auth.sessions.keys import all_keys, session_key, sessions_key
from app.auth.sessions.lookup import earliest_start
from app.auth.sign_in.credentials import check_own_password
from app.database.service import permitted
from app.errors import NotFound
from app.logs.events import event
from app.redis.client import redis_store
from app.text import N_

OTHERS = "others"  # chosen instead of the id of a session


@dataclass(frozen=True)
class OwnSession:
    """A session, without anything that would let somebody use it."""

    store_id: str
    signed_in: SignedIn
    seen_at: datetime
    current: bool

    @property
    def id(self) -> str:
        """Names the session in the form that ends it."""
        return self.store_id.rpartition(":")[2]

    @property
    def since(self) -> datetime:
        return datetime.fromtimestamp(self.signed_in.since, UTC)


@permitted(Role.VIEWER, by_token=False)
def list_sessions(actor: Actor, sid: str) -> list[OwnSession]:
    """One's own sessions: first the current one, which has this id, then the last used."""
    return read_sessions(actor, sid)


@permitted(Role.VIEWER, by_token=False)
def end_sessions(actor: Actor, sid: str, chosen: str, password: str, devices: str = "") -> int:
    """End one of one's own other sessions, or all of them, given one's password; returns how
    many."""
    check_own_password(actor, password, devices, "password")
    others = [each for each in read_sessions(actor, sid) if not each.current]
    ending = [each for each in others if chosen in (OTHERS, each.id)]
    if chosen != OTHERS and not ending:
        raise NotFound(N_("You have no such session, or it has ended."))
    for each in ending:
        redis_store.client.delete(*all_keys(each.store_id))
        about = each.signed_in
        event("session-ended", browser=about.browser or "-", network=about.network or "-")
    return len(ending)


def read_sessions(actor: Actor, sid: str) -> list[OwnSession]:
    """See list_sessions(). Sessions of an earlier epoch have ended, although Redis has them."""
    client, current = redis_store.client, session_key(sid)
    used: Any = client.zrange(sessions_key(actor.person_id), 0, -1, desc=True, withscores=True)
    seen: dict[str, float] = {current: time.time()} | dict(used)
    texts: Any = client.mget(list(seen))
    found = []
    for (store_id, when), text in zip(seen.items(), texts, strict=True):
        about = read_person(decode(text) or {})
        if (
            about
            and (about.person, about.epoch) == (actor.id, actor.epoch)
            and about.since >= earliest_start()
        ):
            seen_at = datetime.fromtimestamp(when, UTC)
            found.append(OwnSession(store_id, about, seen_at, store_id == current))
    return found
