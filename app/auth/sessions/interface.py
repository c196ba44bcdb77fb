"""Sessions in Redis, shared by all workers and hosts.

Built on Flask-Session's base class, with these differences:
- Flask opens a session before it matches the address. Ours is then empty; identification.py fills
  it if the view needs one, and one that was never opened is never saved;
- a session that has ended cannot come back: a slow request that loaded it before the sign-out only
  replaces a key that is still there (XX);
- without Redis the session is `unavailable`, and pages that need one answer 503;
- data that cannot be decoded is ignored (Flask-Session would hand it to pickle);
- Redis knows only the SHA-256 of a session id, so that a copy of its data signs nobody in;
- values that a person stores are a hash beside the session: the session is one text, and of two
  requests that write it at once the slower one wins.
"""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
from flask import Flask, Request, Response, request
from flask_session.base import ServerSideSession, ServerSideSessionInterface
from redis.exceptions import RedisError, ResponseError

from app.auth.sessions.content import FLASHES, FLASHES_MAX, decode
from app.auth.sessions.keys import (
    all_keys,
    requests_key,
    session_key,
    sessions_key,
    values_key,
)
from app.auth.sessions.lookup import idle_seconds, look_up
from app.current import worker_name
from app.database.failures import close_session
from app.redis import failures, unsent
from app.redis.client import redis_store
from app.redis.scripts import Call
from app.text import read_count
from app.web.client import cookie_name, seen_secure
from app.web.error_pages import answer_redis_error
from app.web.posts.csrf import add_token

# KEYS: the session and its counter of requests.
USAGE = """
return {ask("GET", KEYS[2]), ask("TTL", KEYS[1])}
"""


# Writes a session: replaces a stored one (XX) or creates one (NX), and notes that it was used. Of a
# person's sessions over the limit the longest unused end. KEYS: the session, its values, the
# person's sessions. ARGV: its text, the idle time, XX or NX, the limit, the ends of all_keys().
SAVE = """
if not ask("SET", KEYS[1], ARGV[1], "EX", ARGV[2], ARGV[3]) then return 0 end
local now = tonumber(redis.call("TIME")[1])
ask("ZREMRANGEBYSCORE", KEYS[3], "-inf", now - ARGV[2])
ask("ZADD", KEYS[3], now, KEYS[1])
ask("EXPIRE", KEYS[2], ARGV[2])
ask("EXPIRE", KEYS[3], ARGV[2])
for _, key in ipairs(ask("ZRANGE", KEYS[3], 0, -1 - ARGV[4])) do
  ask("ZREM", KEYS[3], key)
  for i = 5, #ARGV do redis.call("DEL", key .. ARGV[i]) end
end
return 1
"""
SESSIONS_MOST = 100  # of a person


class SharedSession(ServerSideSession):  # type: ignore[misc]
    """A session, and what is known about it in Redis."""

    opened = False  # what is not opened is not saved
    stored = False  # Redis has it
    unavailable = False  # Redis could not be asked
    discarded = False  # it ended during this request; nothing is saved, no cookie is sent

    def fill(self, sid: str, data: dict[str, Any]) -> None:
        """Become the session that Redis has, which neither modifies nor accesses it."""
        self.sid, self.stored = sid, True
        dict.update(self, data)


class SharedSessionInterface(ServerSideSessionInterface):  # type: ignore[misc]
    """Opens and saves sessions as the module's docstring says."""

    session_class = SharedSession

    def __init__(self, app: Flask) -> None:
        super().__init__(app, permanent=True)
        self.client = app.extensions["redis"]

    def get_cookie_name(self, app: Flask) -> str:
        """`__Host-gz`, which no other host can set, where https is seen; otherwise `gz`."""
        return cookie_name("gz")

    def get_cookie_secure(self, app: Flask) -> bool:
        return seen_secure()

    def should_set_cookie(self, app: Flask, session: SharedSession) -> bool:
        """A session that has ended in the meantime sends no cookie: it would replace that of a
        newer one."""
        return session.stored and bool(super().should_set_cookie(app, session))

    def open_session(self, app: Flask, request: Request) -> SharedSession:
        """An empty session, which load() fills once the view is known."""
        return SharedSession(sid=self._generate_sid(self.sid_length), permanent=True)

    def load(self, session: SharedSession) -> tuple[int | None, str | None, int, int]:
        """Open the session of the request: fill it with what Redis has under the cookie's id.
        Returns the epoch and the preferences of its person, None where Redis does not know them,
        the timestamp of their last change, and how many jobs of theirs are active."""
        session.opened = True
        sid = request.cookies.get(self.get_cookie_name(self.app))
        if not sid:
            return None, None, 0, 0
        text, epoch, preferences, last_write, jobs = look_up(sid)
        data = decode(text)
        if data is not None:
            session.fill(sid, data)
            unsent.hold()
        return epoch, preferences, last_write, jobs

    def save_session(self, app: Flask, session: SharedSession, response: Response) -> None:
        """Write what changed; a response that relies on a session which could not be saved
        becomes 503.

        A POST that redirects has already made its change: it loses its notice for the next page,
        and nobody is asked to repeat it. So does every page while Redis answers and refuses
        writes: a page that only shows something still does.
        """
        try:
            self.save_changes(app, session, response)
        finally:
            unsent.end_hold()

    def save_changes(self, app: Flask, session: SharedSession, response: Response) -> None:
        if not session.opened or session.unavailable or session.discarded:
            return
        if session and "person" not in session:
            return  # visitors have no session
        if session.stored and not session.modified:
            response.vary.add("Cookie")
            return
        if session.accessed:
            response.vary.add("Cookie")
        close_session()  # none is held while Redis is asked
        try:
            if session:
                self.write(app, session, response)
            elif session.modified:
                self.end(session, response)
        except RedisError as error:
            redirects = request.method == "POST" and 300 <= response.status_code < 400
            refused = failures.classify(error) is failures.ErrorKind.REFUSED
            if session and session.stored and (redirects or refused):
                return
            refusal = answer_redis_error(error)
            response.set_data(refusal.get_data())
            response.status_code = refusal.status_code
            response.headers.update(refusal.headers)
            response.headers["Cache-Control"] = "no-store"
            for name in ("Location", "ETag", "Last-Modified"):
                response.headers.pop(name, None)

    def write(self, app: Flask, session: SharedSession, response: Response) -> None:
        """Store a session and set its cookie."""
        self._upsert_session(app.permanent_session_lifetime, session, self.store_id(session))
        if self.should_set_cookie(app, session):
            expires = self.get_expiration_time(app, session)
            response.set_cookie(value=session.sid, expires=expires, **self.cookie())

    def end(self, session: SharedSession, response: Response) -> None:
        """Delete a session and its cookie."""
        self._delete_session(self.store_id(session))
        response.delete_cookie(**self.cookie())

    def cookie(self) -> dict[str, Any]:
        """The name of the cookie and its attributes: with others browsers would not delete it."""
        return {
            "key": self.get_cookie_name(self.app),
            "secure": self.get_cookie_secure(self.app),
            "httponly": True,
            "samesite": self.get_cookie_samesite(self.app),
        }

    def regenerate(self, session: SharedSession, same_person: bool = False) -> bool:
        """Give the session a new id and a new CSRF token, and delete the old one. The id changes
        first: should Redis fail in between, the new content is never saved under the old id.

        The session of the `same_person` takes their values along. If it was ended since this
        request began, it stays ended, nothing is saved, and the result is False.
        """
        old, was_stored = self.store_id(session), session.stored
        session.sid = self._generate_sid(self.sid_length)
        session.stored, session.modified = False, True
        add_token(session)
        deleted = self.client.delete(old)
        if same_person and deleted:
            # From here on nobody adds a value under the old id. There may be none at all.
            with suppress(ResponseError):
                self.client.rename(values_key(old), values_key(self.store_id(session)))
        self._delete_session(old)
        session.discarded = same_person and was_stored and not deleted
        return not session.discarded

    def usage(self, session: SharedSession) -> tuple[int, int]:
        """How many requests the session has seen, and in how many seconds it ends if unused."""
        key = self.store_id(session)
        requests, seconds = redis_store.script(USAGE)(keys=[key, requests_key(key)])
        return read_count(requests), max(0, seconds)

    def store_id(self, session: SharedSession) -> str:
        """The Redis key of a session."""
        return session_key(session.sid)

    def _delete_session(self, store_id: str) -> None:
        self.client.delete(*all_keys(store_id))

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        return decode(self.client.get(store_id))

    def _upsert_session(
        self, session_lifetime: timedelta, session: SharedSession, store_id: str
    ) -> None:
        session["writer"] = worker_name()
        if FLASHES in session:
            session[FLASHES] = session[FLASHES][-FLASHES_MAX:]
        keys = [store_id, values_key(store_id), sessions_key(session["person"])]
        mode = "XX" if session.stored else "NX"
        text = msgspec.json.encode(dict(session))
        save = Call(SAVE, keys, [text, idle_seconds(), mode, SESSIONS_MOST, *all_keys("")])
        [stored] = unsent.send(save)
        session.stored = bool(stored)
