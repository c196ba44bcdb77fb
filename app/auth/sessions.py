"""Sessions in Redis, shared by all workers and hosts.

Flask-Session's interface, with these differences:
- a session that was ended cannot come back: a request that loaded it before the sign-out writes
  with XX (only when the key is still there);
- Redis away does not end in an unanswerable error: the session says `unavailable`, and
  guards.load_person answers 503 where the page needs one;
- data that cannot be decoded is no session (Flask-Session would hand it to pickle);
- Redis knows only the SHA-256 of a session id, so that a copy of its data signs nobody in;
- idle time is the life of the key, extended at most once a minute without writing the session;
- the values that a person puts into their session stand in a hash beside it, each by itself: the
  session is one text, and of two requests that wrote it at once the slower would win;
- of the sentences for the next page the newest five are kept;
- addresses that answer everybody alike do not ask Redis for a session at all, nor do requests with
  a token: what a script did is done, whether or not a session could have been kept;
- where https is seen the cookie is `__Host-gz` and Secure, which no other host or plain http can
  set; it is deleted with the same attributes, or browsers would keep it.
"""

import hashlib
import re
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
from flask import Flask, Request, Response, request
from flask_session.base import Serializer
from flask_session.redis import RedisSession, RedisSessionInterface
from redis.exceptions import RedisError, ResponseError

from app.current import worker_name
from app.web.error_pages import answer_redis_error
from app.web.preferences import cookie_name, seen_secure

ANONYMOUS_SECONDS = 3600  # a form that nobody signed in with
# A client that sends forms and never opens a page reads none of the sentences for its next page.
FLASHES = "_flashes"  # where flask.flash() puts them
FLASHES_KEPT = 5
# Addresses whose answer is the same whoever asks. Without a session they cost no round trip, are
# not held up by a slow Redis, and carry no `Vary: Cookie`.
FOR_EVERYBODY = re.compile(r"/(static|healthz|pi|fib)(/|$)")


def requests_key(store_id: str) -> str:
    """Where the requests of a session are counted."""
    return f"{store_id}:requests"


def seen_key(store_id: str) -> str:
    """What stands in Redis for a minute after a session's life was extended."""
    return f"{store_id}:seen"


def values_key(store_id: str) -> str:
    """The hash of the values that the person put into the session."""
    return f"{store_id}:values"


def carries_token(request: Request) -> bool:
    """Whether a script asks: it names its token with every request."""
    return request.headers.get("Authorization", "").lower().startswith("bearer ")


class SharedSession(RedisSession):  # type: ignore[misc]
    """A session that knows whether Redis has it, and whether Redis could be asked."""

    unavailable = False
    never_kept = False  # for this one answer only; no cookie is sent

    def __init__(self, initial: Any = None, sid: Any = None, permanent: Any = None) -> None:
        super().__init__(initial, sid=sid, permanent=permanent)
        self.stored = initial is not None  # Flask-Session gives data only to what it found


class JsonSerializer(Serializer):  # type: ignore[misc]
    """JSON and nothing else."""

    def encode(self, session: SharedSession) -> bytes:
        return msgspec.json.encode(dict(session))

    def decode(self, serialized_data: bytes) -> dict[str, Any]:
        return msgspec.json.decode(serialized_data, type=dict[str, Any])


class SharedSessionInterface(RedisSessionInterface):  # type: ignore[misc]
    """Opens and saves sessions as the module's docstring says."""

    session_class = SharedSession

    def __init__(self, app: Flask) -> None:
        client = app.extensions["redis"]
        super().__init__(app, client, key_prefix="gz:session:", permanent=True)
        self.serializer = JsonSerializer()
        self.idle_seconds = app.config["SETTINGS"].session_idle_hours * 3600

    def get_cookie_name(self, app: Flask) -> str:
        """`__Host-gz` or `gz`."""
        return cookie_name("gz")

    def get_cookie_secure(self, app: Flask) -> bool:
        """Whether browsers send the cookie over https only."""
        return seen_secure()

    def should_set_cookie(self, app: Flask, session: SharedSession) -> bool:
        """A session that ended meanwhile sends no cookie: it would replace that of a newer one."""
        return session.stored and bool(super().should_set_cookie(app, session))

    def open_session(self, app: Flask, request: Request) -> SharedSession:
        """The session of the cookie, or a new one; never an error."""
        if FOR_EVERYBODY.match(request.path) or carries_token(request):
            session = SharedSession(sid=self._generate_sid(self.sid_length))
            session.never_kept = True
            return session
        sid = request.cookies.get(self.get_cookie_name(app))
        found, unavailable = None, False
        if sid:
            try:
                found = self._retrieve_session_data(self._get_store_id(sid))
            except RedisError:
                unavailable = True
        if found is not None:
            return SharedSession(found, sid=sid)
        session = SharedSession(sid=self._generate_sid(self.sid_length), permanent=True)
        session.unavailable = unavailable
        return session

    def save_session(self, app: Flask, session: SharedSession, response: Response) -> None:
        """Write what changed; an answer that relies on a session which could not be kept is 503.

        A change that is made and leads on stays answered so: what the session would have carried
        to the next page, a sentence mostly, is lost, but nobody is told to do it again.
        """
        if session.unavailable or session.never_kept:
            return
        try:
            if session or not session.modified:
                super().save_session(app, session, response)
            else:
                self._end(app, session, response)
        except RedisError as error:
            leads_on = request.method == "POST" and 300 <= response.status_code < 400
            if session and session.stored and leads_on:
                app.logger.warning("Redis does not answer: the session is not written")
                return
            refusal = answer_redis_error(error)
            response.set_data(refusal.get_data())
            response.status_code = refusal.status_code
            response.headers.update(refusal.headers)
            response.headers["Cache-Control"] = "no-store"
            for name in ("Location", "ETag", "Last-Modified"):
                response.headers.pop(name, None)

    def _end(self, app: Flask, session: SharedSession, response: Response) -> None:
        self._delete_session(self.store_id(session))
        response.delete_cookie(
            self.get_cookie_name(app),
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite=self.get_cookie_samesite(app),
        )
        response.vary.add("Cookie")

    def regenerate(self, session: SharedSession, goes_on: bool = False) -> bool:
        """Give the session a new id; the old one is dead at once. The id changes first: should
        Redis fail in between, what the session now holds is never kept under the old one.

        A session that `goes_on` for the same person keeps their values. Had it been ended since
        this request began, it stays ended, nothing is kept, and the answer is False.
        """
        old, was_stored = self.store_id(session), session.stored
        session.sid = self._generate_sid(self.sid_length)
        session.stored, session.modified = False, True
        deleted = self.client.delete(old)
        if goes_on and deleted:
            # From here on nobody adds a value under the old id. There may be none at all.
            with suppress(ResponseError):
                self.client.rename(values_key(old), values_key(self.store_id(session)))
        self._delete_session(old)
        session.never_kept = goes_on and was_stored and not deleted
        return not session.never_kept

    def usage(self, session: SharedSession) -> tuple[int, int]:
        """How many requests the session has seen, and in how many seconds it ends if unused."""
        key = self.store_id(session)
        with self.client.pipeline(transaction=False) as pipe:
            pipe.get(requests_key(key))
            pipe.ttl(key)
            requests, seconds = pipe.execute()
        return int(requests or 0), max(0, seconds)

    def store_id(self, session: SharedSession) -> str:
        """The Redis key of a session."""
        return self._get_store_id(session.sid)

    def _get_store_id(self, sid: str) -> str:
        return f"{self.key_prefix}{hashlib.sha256(sid.encode()).hexdigest()}"

    def _delete_session(self, store_id: str) -> None:
        beside = requests_key(store_id), seen_key(store_id), values_key(store_id)
        self.client.delete(store_id, *beside)

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        text = self.client.get(store_id)
        try:
            return None if text is None else self.serializer.decode(text)
        except msgspec.DecodeError:
            return None

    def _upsert_session(
        self, session_lifetime: timedelta, session: SharedSession, store_id: str
    ) -> None:
        seconds = self.idle_seconds if session.get("person") else ANONYMOUS_SECONDS
        session["writer"] = worker_name()
        if FLASHES in session:
            session[FLASHES] = session[FLASHES][-FLASHES_KEPT:]
        text = self.serializer.encode(session)
        # A stored session is only ever replaced; a new one is only ever created.
        with self.client.pipeline(transaction=False) as pipe:
            pipe.set(store_id, text, ex=seconds, xx=session.stored, nx=not session.stored)
            pipe.expire(values_key(store_id), seconds)
            session.stored = bool(pipe.execute()[0])
