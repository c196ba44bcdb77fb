"""What a command prints when it is refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from app.database.engine import DATABASE_AWAY
from app.errors import DomainError


def friendly_errors(command: click.Command) -> Callable[..., Any]:
    """What the command does, ending in one sentence on standard error and exit status 1 when it is
    refused or the database does not answer."""
    does: Any = command.callback

    @wraps(does)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return does(*args, **kwargs)
        except DomainError as error:
            raise click.ClickException(error.message) from None
        except DATABASE_AWAY:
            raise click.ClickException("The database does not answer. See DATABASE_URL.") from None

    return run
