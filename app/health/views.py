"""/healthz for whoever restarts processes, /readyz for whoever sends traffic."""

from ipaddress import ip_address

from flask import Blueprint, jsonify, request
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from app.auth.identification import identify
from app.current import actor
from app.errors import DomainError
from app.health import services
from app.web.declarations import without_session

bp = Blueprint("health", __name__)


@bp.get("/healthz")
@without_session
def healthz() -> Response:
    """Alive: this process answers. It asks nothing else."""
    return jsonify(status="alive")


@bp.get("/readyz")
@without_session
def readyz() -> tuple[Response, int]:
    """Ready: everything that pages need is there. What is not well is named to whoever runs the
    server, and to nobody else."""
    report = services.read_report()
    ready = all(check.ok for check in report.values())
    body: dict[str, object] = {"status": "ready" if ready else "not ready"}
    if may_see_details(report):
        body["checks"] = {name: check.text for name, check in report.items()}
    return jsonify(body), 200 if ready else 503


def may_see_details(report: dict[str, services.Check]) -> bool:
    """Somebody on this machine, a script with a token, or an administrator. Without database and
    Redis nobody can be recognised, and only this machine is told."""
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
    """Whether this machine asks. Over a unix socket, which only this machine reaches, there is no
    address; what a proxy gave and is none counts as elsewhere."""
    if not address:
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
