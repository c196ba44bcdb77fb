"""The button on the page of a job that has its result sent again."""

from flask import Blueprint, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.current import actor
from app.jobs.deliveries import services
from app.web.notices import Notice
from app.web.permissions import role_required

bp = Blueprint("deliveries", __name__)


@bp.post("/jobs/<int:job_id>/deliveries/<int:delivery_id>/send")
@role_required()
def send_again(job_id: int, delivery_id: int) -> Response:
    services.send_again(actor(), job_id, delivery_id)
    Notice(_("The result is sent again.")).show()
    return redirect(url_for("jobs.show_job", job_id=job_id), 303)
