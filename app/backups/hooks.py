"""Requests while a backup is restored."""

from app.backups import maintenance
from app.current import settings
from app.web.declarations import declared


def refuse_while_restoring() -> None:
    """Answer 503, except where no session is needed: static files, health checks, /pi, /fib."""
    if maintenance.is_restoring(settings().files_dir) and not declared().without_session:
        raise maintenance.unavailable()
