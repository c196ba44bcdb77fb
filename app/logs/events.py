"""Security events: who did what from where."""

import logging

from flask import g, has_request_context, request

EVENTS = "gazetteer.events"

events = logging.getLogger(EVENTS)


def event(what: str, level: int = logging.INFO, **about: object) -> None:
    """Log a security event. Callers pass roles, ids and names of people who exist, never a
    password, token, session id or raw input."""
    fields: dict[str, object] = {"event": what}
    if has_request_context():
        who = g.get("actor")
        fields["request_id"] = g.get("request_id", "-")
        fields["address"] = request.remote_addr
        fields["person"] = (who.name or "-") if who else "-"
        fields["path"] = g.get("path_for_log", "-")
    events.log(level, what, extra={"fields": {**fields, **about}}, stacklevel=2)
