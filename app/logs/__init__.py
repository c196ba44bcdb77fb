"""The log of a process and the security log.

A process logs one line for each request, and one for each warning and error, on standard error.
Security events go to files of their own, one for each day. Lines are text or JSON (LOG_FORMAT);
times are UTC. Passwords, tokens and session ids are never logged. Control characters that a client
sent are escaped, so that nobody can forge a line, and one request writes at most 2 kB.
"""

from flask import Flask


def init_app(app: Flask) -> None:
    """Write security events to their files, also those of commands; the clock deletes old ones."""
    from app.clock import registry
    from app.logs.security import delete_old_days, open_security_log

    open_security_log()
    registry.add(app, "old days of the security log deleted", 3600, delete_old_days)
