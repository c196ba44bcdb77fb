"""Sessions in Redis, shared by all workers and hosts.

Built on Flask-Session's base class, with these differences:
- Flask opens a session before it matches the address. Ours is then empty and unopened; the first
  hook fills it (identification.py), because only then it is known whether the view needs one. A
  session that was never opened is never saved;
- one script reads the session, checks its person's epoch, counts the request and extends the
  session's life, which happens at most once a minute and without writing the session;
- a session that was ended cannot come back: a request that loaded it before the sign-out writes
  with XX (only when the key is still there);
- Redis being away does not end in an unanswerable error: the session is `unavailable`, and the hook
  answers 503 where the page needs one;
- data that cannot be decoded is no session (Flask-Session would hand it to pickle);
- Redis knows only the SHA-256 of a session id, so that a copy of its data signs nobody in;
- the values that a person stores in their session are a hash beside it: the session is one text,
  and of two requests that wrote it at once the slower would win;
- of the notices for the next page the newest five are stored;
- where https is seen the cookie is `__Host-gz` and Secure, which no other host or plain http can
  set; it is deleted with the same attributes, or browsers would keep it.
"""

import secrets
from contextlib import suppress
from datetime import timedelta
from typing import Any

import msgspec
from flask import Flask, Request, Response, request
from flask_session.base import Serializer, ServerSideSession, ServerSideSessionInterface
from redis.exceptions import RedisError, ResponseError

from app.auth.sessions.keys import requests_key, seen_key, session_key, values_key
from app.auth.sessions.lookup import idle_seconds, look_up
from app.current import worker_name
from app.database.engine import db
from app.web.csrf import add_token
from app.web.error_pages import answer_redis_error
from app.web.preferences import cookie_name, seen_secure

ANONYMOUS_SECONDS = 3600  # a form that nobody signed in with
# A client that sends forms and never opens a page reads none of the notices for its next page.
FLASHES = "_flashes"  # where flask.flash() puts them
FLASHES_MAX = 5


class SharedSession(ServerSideSession):  # type: ignore[misc]
    """A session, and what is known about it in Redis."""

    opened = False  # what is not opened is not saved
    stored = False  # Redis has it
    unavailable = False  # Redis could not be asked
    discarded = False  # it ended during this request; nothing is saved, no cookie is sent

    def fill(self, sid: str, data: dict[str, Any]) -> None:
        """Become the session that Redis has. This is no change and no use of it."""
        self.sid, self.stored = sid, True
        dict.update(self, data)


class JsonSerializer(Serializer):  # type: ignore[misc]
    """JSON and nothing else."""

    def encode(self, session: SharedSession) -> bytes:
        return msgspec.json.encode(dict(session))

    def decode(self, text: str) -> dict[str, Any]:
        return msgspec.json.decode(text, type=dict[str, Any])


class SharedSessionInterface(ServerSideSessionInterface):  # type: ignore[misc]
    """Opens and saves sessions as the module's docstring says. The prefix is empty, so what
    Flask-Session calls a store id and hands to the three methods at the end is the session's id."""

    session_class = SharedSession

    def __init__(self, app: Flask) -> None:
        super().__init__(app, key_prefix="", permanent=True)
        self.client = app.extensions["redis"]
        self.serializer = JsonSerializer()

    def get_cookie_name(self, app: Flask) -> str:
        """`__Host-gz` or `gz`."""
        return cookie_name("gz")

    def get_cookie_secure(self, app: Flask) -> bool:
        """True if browsers send the cookie over https only."""
        return seen_secure()

    def should_set_cookie(self, app: Flask, session: SharedSession) -> bool:
        """A session that has ended in the meantime sends no cookie: it would replace that of a
        newer one."""
        return session.stored and bool(super().should_set_cookie(app, session))

    def open_session(self, app: Flask, request: Request) -> SharedSession:
        """An empty session, which load() fills once the view is known."""
        return SharedSession(sid=self.new_id(), permanent=True)

    def load(self, session: SharedSession) -> int | None:
        """Open the session of the request: fill it with what Redis has under the cookie's id.
        Returns the epoch of its person, or None where Redis does not know it."""
        session.opened = True
        sid = request.cookies.get(self.get_cookie_name(self.app))
        if not sid:
            return None
        try:
            text, epoch = look_up(sid)
        except RedisError:
            session.unavailable = True
            raise
        data = self.decode(text)
        if data is not None:
            session.fill(sid, data)
        return epoch

    def decode(self, text: str | None) -> dict[str, Any] | None:
        """The data of a session's text, or None for what is not a session."""
        try:
            return None if text is None else self.serializer.decode(text)
        except msgspec.DecodeError:
            return None

    def save_session(self, app: Flask, session: SharedSession, response: Response) -> None:
        """Write what changed; an answer that relies on a session which could not be saved is 503.

        A change that was made and leads on stays answered so: what the session would have carried
        to the next page, a notice mostly, is lost, but nobody is asked to do it again.
        """
        if not session.opened or session.unavailable or session.discarded:
            return
        db.session.rollback()  # no connection is held while Redis is asked
        try:
            if session or not session.modified:
                super().save_session(app, session, response)
            else:
                self.end(app, session, response)
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

    def end(self, app: Flask, session: SharedSession, response: Response) -> None:
        """Delete a session and its cookie."""
        self._delete_session(session.sid)
        response.delete_cookie(
            self.get_cookie_name(app),
            secure=self.get_cookie_secure(app),
            httponly=True,
            samesite=self.get_cookie_samesite(app),
        )
        response.vary.add("Cookie")

    def regenerate(self, session: SharedSession, goes_on: bool = False) -> bool:
        """Give the session a new id and a new CSRF token; the old id is dead at once. The id
        changes first: should Redis fail in between, what the session now holds is never saved under
        the old one.

        A session that `goes_on` for the same person keeps their values. If it was ended since this
        request began, it stays ended, nothing is saved, and the answer is False.
        """
        old, was_stored = session.sid, session.stored
        session.sid = self.new_id()
        session.stored, session.modified = False, True
        add_token(session)
        deleted = self.client.delete(session_key(old))
        if goes_on and deleted:
            # From here on nobody adds a value under the old id. There may be none at all.
            with suppress(ResponseError):
                self.client.rename(values_key(session_key(old)), values_key(self.store_id(session)))
        self._delete_session(old)
        session.discarded = goes_on and was_stored and not deleted
        return not session.discarded

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
        return session_key(session.sid)

    def new_id(self) -> str:
        """A random session id."""
        return secrets.token_urlsafe(self.sid_length)

    def _delete_session(self, sid: str) -> None:
        key = session_key(sid)
        self.client.delete(key, requests_key(key), seen_key(key), values_key(key))

    def _retrieve_session_data(self, sid: str) -> dict[str, Any] | None:
        return self.decode(self.client.get(session_key(sid)))

    def _upsert_session(
        self, session_lifetime: timedelta, session: SharedSession, sid: str
    ) -> None:
        key = session_key(sid)
        seconds = idle_seconds() if session.get("person") else ANONYMOUS_SECONDS
        session["writer"] = worker_name()
        if FLASHES in session:
            session[FLASHES] = session[FLASHES][-FLASHES_MAX:]
        text = self.serializer.encode(session)
        # A stored session is only ever replaced; a new one is only ever created.
        with self.client.pipeline(transaction=False) as pipe:
            pipe.set(key, text, ex=seconds, xx=session.stored, nx=not session.stored)
            pipe.expire(values_key(key), seconds)
            session.stored = bool(pipe.execute()[0])
