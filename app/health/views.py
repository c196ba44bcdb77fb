"""/healthz for what restarts processes, /readyz for what sends traffic."""

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
    """Alive: this process answers. Nothing else is checked."""
    return jsonify(status="alive")


@bp.get("/readyz")
@without_session
def readyz() -> tuple[Response, int]:
    """Ready: everything that pages need works. Only operators see the single checks."""
    report = services.read_report()
    ready = all(check.ok for check in report.values())
    body: dict[str, object] = {"status": "ready" if ready else "not ready"}
    if may_see_details(report):
        body["checks"] = {name: check.text for name, check in report.items()}
    return jsonify(body), 200 if ready else 503


def may_see_details(report: dict[str, services.Check]) -> bool:
    """True for this machine, a token, or an administrator. Without database and Redis nobody can be
    identified, so only this machine sees details."""
    if asked_from_here(request.remote_addr or ""):
        return True
    if not (report["database"].ok and report["redis"].ok):
        return False
    try:
        identify()
    except (DomainError, RedisError, SQLAlchemyError):
        return False
    return actor().is_signed_in and (actor().by_token or actor().is_admin)


def asked_from_here(address: str) -> bool:
    """True if this machine asks. Over a unix socket, which only this machine reaches, there is no
    address; an invalid one, given by a proxy, counts as elsewhere."""
    if not address:
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
