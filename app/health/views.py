"""/healthz for process managers, /readyz for load balancers."""

from ipaddress import ip_address

from flask import Blueprint, jsonify, request
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from app.current import actor
from app.errors import DomainError
from app.health import services
from app.web.declarations import without_session
from app.web.hooks import identify

bp = Blueprint("health", __name__)


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
    if may_see_details(report):
        body["checks"] = {name: check.text for name, check in report.items()}
    return jsonify(body), 200 if ready else 503


def may_see_details(report: dict[str, services.Check]) -> bool:
    """True for requests from this machine, with a token, or by an administrator. Nobody can be
    authenticated without database and Redis; then only this machine sees details."""
    if is_local(request.remote_addr or ""):
        return True
    if not (report["database"].ok and report["redis"].ok):
        return False
    try:
        identify()
    except (DomainError, RedisError, SQLAlchemyError):
        return False
    return actor().is_signed_in and (actor().by_token or actor().is_admin)


def is_local(address: str) -> bool:
    """True if the client address is this machine. It is empty for a unix socket, which is always
    local; a proxy may give an invalid one, which is not."""
    if not address:
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
