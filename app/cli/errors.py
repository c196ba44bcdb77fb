"""Friendly error messages of commands."""

import os
import pwd
from collections.abc import Callable
from copy import copy
from functools import wraps
from pathlib import Path
from typing import Any

import click
from flask import Flask
from redis.exceptions import RedisError

from app.database import failures
from app.database.engine import db
from app.database.schema import State, state
from app.errors import DomainError
from app.redis.failures import ErrorKind, classify, describe


def add_friendly_errors(app: Flask) -> None:
    """Make every command print one sentence and exit with status 1, instead of a traceback, when a
    service refuses or the database reports an error."""
    instance = app.config["SETTINGS"].instance
    for name, command in app.cli.commands.items():
        app.cli.commands[name] = with_friendly_errors(command, instance)


def with_friendly_errors(command: click.Command, instance: Path) -> click.Command:
    """Copy a command, or a group and all its commands."""
    wrapped = copy(command)
    if isinstance(wrapped, click.Group):
        children = wrapped.commands.items()
        wrapped.commands = {name: with_friendly_errors(child, instance) for name, child in children}
    if wrapped.callback is not None:
        wrapped.callback = friendly_errors(wrapped.callback, instance)
    return wrapped


def friendly_errors(function: Callable[..., Any], instance: Path) -> Callable[..., Any]:
    """Turn our exceptions into click's one-line error."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        check_account(instance)
        try:
            return function(*args, **kwargs)
        except DomainError as error:
            raise click.ClickException(error.message) from None
        except failures.DATABASE_ERRORS as error:
            raise click.ClickException(sentence(error)) from None
        except RedisError as error:
            raise click.ClickException(redis_sentence(error)) from None

    return run


def check_account(instance: Path) -> None:
    """Refuse to run as another account than that of the instance folder: the web processes could
    not write to the files that this one makes."""
    try:
        owner = instance.stat().st_uid
    except OSError:  # it does not exist; the command reports that or creates it
        return
    if owner == os.geteuid():
        return
    try:
        name = pwd.getpwuid(owner).pw_name
    except KeyError:
        name = f"#{owner}"
    text = f"{instance} belongs to {name}; run this command with `sudo -u {name}`."
    raise click.ClickException(text)


def sentence(error: failures.DatabaseError) -> str:
    """What the database said; a fault is also logged with its trace."""
    kind = failures.classify(error)
    if kind is failures.Kind.FAULT:
        if not tables_fit():
            return "The tables are missing or older than this code; run `flask prepare`."
        failures.report(error)
    text = f"{kind[0].upper()}{kind[1:]}: {failures.describe(error).rstrip('.')}."
    return f"{text} See DATABASE_URL." if kind is failures.Kind.ABSENCE else text


def redis_sentence(error: RedisError) -> str:
    """That Redis does not answer, or what it said."""
    if classify(error) is ErrorKind.ABSENCE:
        return "Redis does not answer. See REDIS_URL."
    return f"Redis refuses: {describe(error).rstrip('.')}."


def tables_fit() -> bool:
    """True if all migrations of this release were run."""
    db.session.rollback()
    return state(db.session.connection()) in (State.SAME, State.NEWER)
