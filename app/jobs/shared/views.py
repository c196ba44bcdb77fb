"""The addresses of shared results, which answer as those of the original program."""

from flask import Blueprint, Response, jsonify

from app.current import actor
from app.jobs import services
from app.jobs.deliveries import services as deliveries
from app.jobs.deliveries.forms import with_target
from app.jobs.models import JobState
from app.jobs.shared import rules
from app.jobs.shared.forms import DigestForm
from app.jobs.shared.results import read_result, wait_for_result
from app.jobs.shared.work import DIGEST, SUM
from app.web.declarations import max_body
from app.web.permissions import role_required

bp = Blueprint("shared_results", __name__)

# A text in a form that percent-encodes each byte, and its other fields.
TEXT_BODY = 3 * rules.TEXT_BYTES + 65_536
CALCULATING = "calculating"


@bp.get("/sum/<a>/<b>")
@role_required()
def start_sum(a: str, b: str) -> Response:
    """Have two numbers added; answers the key of the result."""
    args = rules.check_sum({"a": a, "b": b})
    services.start_job(actor(), SUM.name, args)
    return Response(rules.key_of_sum(args), mimetype="text/plain")


@bp.get("/get_result/<key>")
@role_required()
def get_result(key: str) -> Response:
    """The result of a key; 202 if it takes longer than this waits."""
    found = wait_for_result(actor(), key)
    if found.is_active:
        return Response(CALCULATING, 202, mimetype="text/plain")
    return Response(found.text or found.state, 200 if found.is_done else 500, mimetype="text/plain")


@bp.post("/jobs/digest")
@role_required()
@max_body(TEXT_BODY)
def start_digest() -> Response:
    """Have the digest of a text computed, and sent to `target` if there is one; answers its key."""
    form = with_target(DigestForm)()
    args = rules.check_text({"text": form.text.data})
    _job_id, delivery = deliveries.start_job(actor(), DIGEST.name, args, form.target.data)
    key = rules.key_of_text(args)
    sent = {"delivery": {"id": str(delivery.id), "state": delivery.state}} if delivery else {}
    state = CALCULATING if read_result(key).is_active else JobState.DONE
    return jsonify(digest=key, state=state, **sent)
