"""/healthz for whoever restarts processes, /readyz for whoever sends traffic."""

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from app.health import services

bp = Blueprint("health", __name__)


@bp.get("/healthz")
def healthz() -> Response:
    """Alive: this process answers. It asks nothing else."""
    return jsonify(status="alive")


@bp.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Ready: everything that pages need is there; names what is not."""
    report = services.check_all()
    ready = all(check.ok for check in report.values())
    body = {name: "ok" if check.ok else check.problem for name, check in report.items()}
    return jsonify(status="ready" if ready else "not ready", checks=body), 200 if ready else 503
