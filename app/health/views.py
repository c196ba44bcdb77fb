"""/healthz for process managers, /readyz for load balancers."""

from contextlib import suppress

from flask import Blueprint, jsonify, request
from redis.exceptions import RedisError
from werkzeug.wrappers import Response

from app.current import actor
from app.database.failures import tolerated
from app.errors import DomainError
from app.health import services, warnings
from app.health.rules import may_see_details
from app.web.declarations import without_session
from app.web.hooks import identify

bp = Blueprint("health", __name__)


def note_proxy() -> None:
    """Before each request: note whether a proxy passed it on."""
    if "X-Forwarded-For" in request.headers:
        warnings.note_proxy(request.remote_addr or "")


@bp.get("/healthz")
@without_session
def healthz() -> Response:
    """This process is alive; nothing else is checked."""
    return jsonify(status="alive")


@bp.get("/readyz")
@without_session
def readyz() -> tuple[Response, int]:
    """Everything that pages need works. Only operators see the results of the checks."""
    report = services.read_report()
    ready = all(check.ok for check in report.values())
    body: dict[str, object] = {"status": "ready" if ready else "not ready"}
    identify_if_ready(report)
    if may_see_details(actor(), request.remote_addr or ""):
        body["checks"] = {name: check.text for name, check in report.items()}
    return jsonify(body), 200 if ready else 503


def identify_if_ready(report: dict[str, services.Check]) -> None:
    """Find out who asks, if database and Redis work; otherwise it remains a visitor."""
    if all(name in report and report[name].ok for name in ("database", "redis")):
        with suppress(DomainError, RedisError), tolerated("the client was not identified"):
            identify()
