"""Friendly error messages of commands."""

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

import click
from flask import Flask
from redis.exceptions import RedisError

from app.database import failures
from app.database.engine import db
from app.database.schema import State, state
from app.errors import DomainError


def add_friendly_errors(app: Flask) -> None:
    """Make every command print one sentence and exit with status 1, instead of a traceback, when a
    service refuses or the database reports an error."""
    for name, command in app.cli.commands.items():
        app.cli.commands[name] = with_friendly_errors(command)


def with_friendly_errors(command: click.Command) -> click.Command:
    """Copy a command, or a group and all its commands."""
    wrapped = copy(command)
    if isinstance(wrapped, click.Group):
        children = wrapped.commands.items()
        wrapped.commands = {name: with_friendly_errors(child) for name, child in children}
    if wrapped.callback is not None:
        wrapped.callback = friendly_errors(wrapped.callback)
    return wrapped


def friendly_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn our exceptions into click's one-line error."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except DomainError as error:
            raise click.ClickException(error.message) from None
        except failures.DATABASE_ERRORS as error:
            raise click.ClickException(sentence(error)) from None
        except RedisError:
            raise click.ClickException("Redis does not answer. See REDIS_URL.") from None

    return run


def sentence(error: failures.DatabaseError) -> str:
    """What the database said; a fault is also logged with its trace."""
    kind = failures.classify(error)
    if kind is failures.Kind.FAULT:
        if not tables_fit():
            return "The tables are missing or older than this code; run `flask prepare`."
        failures.report(error)
    text = f"{kind[0].upper()}{kind[1:]}: {failures.describe(error).rstrip('.')}."
    return f"{text} See DATABASE_URL." if kind is failures.Kind.ABSENCE else text


def tables_fit() -> bool:
    """True if all migrations of this release were run."""
    db.session.rollback()
    return state(db.session.connection()) in (State.SAME, State.NEWER)
