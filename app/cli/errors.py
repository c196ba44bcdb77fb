"""What a command prints when it is refused."""

from collections.abc import Callable
from copy import copy
from functools import wraps
from typing import Any

import click
from flask import Flask

from app.database.engine import DATABASE_AWAY
from app.errors import DomainError


def report_errors(app: Flask) -> None:
    """Make every command of the application end in one sentence on standard error and exit status
    1 when it is refused or the database does not answer."""
    for name, command in app.cli.commands.items():
        app.cli.commands[name] = with_friendly_errors(command)


def with_friendly_errors(command: click.Command) -> click.Command:
    """A copy of a command, or of a group with all its commands."""
    own = copy(command)
    if isinstance(own, click.Group):
        own.commands = {name: with_friendly_errors(one) for name, one in own.commands.items()}
    if own.callback is not None:
        own.callback = friendly_errors(own.callback)
    return own


def friendly_errors(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn a refusal into click's one-line error."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except DomainError as error:
            raise click.ClickException(error.message) from None
        except DATABASE_AWAY:
            raise click.ClickException("The database does not answer. See DATABASE_URL.") from None

    return run
