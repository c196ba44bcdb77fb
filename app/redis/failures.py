"""What an error of Redis means."""

from enum import Enum

from redis.exceptions import (
    AuthenticationError,
    AuthorizationError,
    BusyLoadingError,
    MaxConnectionsError,
    RedisError,
    ResponseError,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

# Redis answers this while it loads its data or runs a long script.
BUSY = ("BUSY ", "LOADING ")
# It answers these without doing what it was asked for, until an operator acts.
REFUSALS = ("NOAUTH", "WRONGPASS", "NOPERM", "OOM", "MISCONF", "READONLY", "NOREPLICAS",
            "MASTERDOWN", "CLUSTERDOWN")  # fmt: skip
# redis-py has classes for some and removes the first word.
REFUSAL_CLASSES = (
    "AuthenticationWrongNumberOfArgsError", "NoPermissionError", "OutOfMemoryError",
    "ReadOnlyError", "MasterDownError", "ClusterDownError",
)  # fmt: skip
# A value that the command cannot use.
WRONG_TYPE = ("WRONGTYPE", "not an integer", "not a valid float", "not a float", "would overflow")
# A note of errors (PEP 678).
NOT_SENT = "The command was not sent."


class ErrorKind(Enum):
    """The kinds of errors, which end differently."""

    ABSENCE = "it does not answer: 503"
    REFUSED = "it answers and refuses: 503, and its own words are logged"
    WRONG_TYPE = "a key has a value that this command cannot use: the value counts as absent"
    FAULT = "we made a mistake: 500"


def classify(error: RedisError) -> ErrorKind:
    """The kind of an error."""
    text = str(error)
    if isinstance(error, (AuthenticationError, AuthorizationError, MaxConnectionsError)):
        return ErrorKind.REFUSED
    if isinstance(error, (RedisConnectionError, RedisTimeoutError)) or text.startswith(BUSY):
        return ErrorKind.ABSENCE
    if type(error).__name__ in REFUSAL_CLASSES or text.startswith(REFUSALS):
        return ErrorKind.REFUSED
    if isinstance(error, ResponseError) and any(words in text for words in WRONG_TYPE):
        return ErrorKind.WRONG_TYPE
    return ErrorKind.FAULT


def may_have_run(error: RedisError) -> bool:
    """True if a command was sent and its answer lost: a Redis that is only slow carries it out."""
    is_answer = isinstance(error, (ResponseError, BusyLoadingError))
    is_sent = NOT_SENT not in getattr(error, "__notes__", ())
    return classify(error) is ErrorKind.ABSENCE and is_sent and not is_answer


def describe(error: RedisError) -> str:
    """The error in the words of Redis, without the script that it came from."""
    return f"{type(error).__name__}: {str(error).partition(' script: ')[0]}"
