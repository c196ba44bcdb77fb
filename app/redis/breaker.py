"""The circuit breaker: what this process knows about whether its Redis answers."""

import logging
from collections.abc import Callable
from time import monotonic
from typing import TypeVar

from redis.exceptions import AuthenticationError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from app.redis.failures import NOT_SENT, ErrorKind, classify, describe

T = TypeVar("T")

log = logging.getLogger("gazetteer.redis")

# While it is open, one call of the process is let through so often, the first at once, and whether
# or not the one before has been answered: so one always waits, and it closes as soon as Redis
# answers.
PROBE_SECONDS = 0.1
# How often the same refusal is logged, and for how long it is remembered.
REFUSAL_LOG_SECONDS, REFUSAL_SECONDS = 60.0, 600.0


class Breaker:
    """Opens at the second failure in a row; then calls fail at once, so that a page answers 503
    quickly however often it would ask Redis. A call that began before the first failure was noted
    is part of the same failure: of many requests at once none stops those after it.

    It is about this process's own connections and is not shared between processes. It writes one
    line when Redis stops answering and one when it answers again.
    """

    def __init__(self) -> None:
        self.failing_since: float | None = None
        self.open = False
        self.next_probe = 0.0
        self.refusals: dict[str, float] = {}
        self.last_refusal = ("", 0.0)

    def call(self, ask: Callable[[], T]) -> T:
        """What `ask` returns, which asks Redis."""
        began = monotonic()
        if self.open:
            if began < self.next_probe:
                error = RedisConnectionError("Redis did not answer a moment ago")
                error.add_note(NOT_SENT)
                raise error
            self.next_probe = began + PROBE_SECONDS
        try:
            answer = ask()
        except RedisError as error:
            kind = classify(error)
            if kind is ErrorKind.ABSENCE:
                self.note_failure(began, error)
            elif isinstance(error, (ResponseError, AuthenticationError)):
                self.note_answer()
            if kind is ErrorKind.REFUSED:
                self.note_refusal(error)
            raise
        self.note_answer()
        return answer

    def note_failure(self, began: float, error: RedisError) -> None:
        """Redis did not answer a call that began at that time."""
        now = monotonic()
        if self.failing_since is None:
            self.failing_since = now
            log.error("Redis does not answer: %s", describe(error))
        elif began >= self.failing_since and not self.open:
            self.open, self.next_probe = True, now

    def note_answer(self) -> None:
        """Redis answered, whatever it was."""
        if self.failing_since is not None:
            seconds = monotonic() - self.failing_since
            self.failing_since, self.open = None, False
            log.warning("Redis answers again after %.1f s", seconds)

    def note_refusal(self, error: RedisError) -> None:
        """Log what Redis refuses, in its own words, once a minute."""
        text, now = describe(error), monotonic()
        self.last_refusal = text, now
        if now - self.refusals.get(text, -REFUSAL_LOG_SECONDS) >= REFUSAL_LOG_SECONDS:
            self.refusals[text] = now
            log.error("Redis refuses: %s", text)

    @property
    def recent_refusal(self) -> str:
        """What Redis last refused within ten minutes, or an empty text."""
        text, when = self.last_refusal
        return text if text and monotonic() - when < REFUSAL_SECONDS else ""
