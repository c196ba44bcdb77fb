"""The pages of jobs: the list, one job, starting, cancelling and retrying one."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.current import actor
from app.errors import NotFound
from app.history.feed import describe_feed
from app.history.queries import entries_about
from app.jobs import queries, services
from app.jobs.counts import publish_count
from app.jobs.deliveries import services as deliveries
from app.jobs.deliveries.forms import form_of
from app.jobs.deliveries.queries import list_deliveries
from app.jobs.deliveries.rows import describe_deliveries
from app.jobs.kinds import NO_KIND, JobKind, all_kinds, label_of
from app.jobs.models import KIND_LENGTH, RESULT_DAYS, JobState
from app.jobs.queries import JobListing
from app.jobs.rows import STATES, describe_job, describe_jobs, described_args
from app.text import parse_integer
from app.web.declarations import max_body
from app.web.forms import submit
from app.web.listings import Filter, ListAddress, bounded_text
from app.web.notices import Notice
from app.web.permissions import role_required

bp = Blueprint("jobs", __name__)

FORM_BODY = 4 << 20  # the digest of a text has the largest one

JOBS = ListAddress(
    "jobs.list_jobs",
    JobListing,
    {
        "kind": Filter("kind", bounded_text(KIND_LENGTH)),
        "state": Filter("state", lambda text: text if text in STATES else ""),
        "person": Filter("person", lambda text: parse_integer(text, 1, 2**31 - 1)),
    },
)


def startable_kinds() -> list[JobKind]:
    return [kind for kind in all_kinds().values() if kind.is_offered_to(actor())]


@bp.get("/jobs")
@role_required()
def list_jobs() -> str:
    """One's own jobs, all for administrators; the newest first."""
    publish_count(actor().id)
    listing = JOBS.read(request.args)
    page, total = queries.select_jobs(actor(), listing, JOBS.read_cursor(listing, request.args))
    return render_template(
        "jobs/list_jobs.html",
        listing=listing,
        list=JOBS.show(listing, page, total, describe_jobs(page.rows)),
        kinds={name: str(kind.label) for name, kind in all_kinds().items()},
        states=STATES,
        startable=startable_kinds(),
        has_worker=queries.has_worker(),
    )


@bp.get("/jobs/<int:job_id>")
@role_required()
def show_job(job_id: int) -> str:
    """One job: how far it is, its result, its log."""
    job = queries.load_job(actor(), job_id)
    return render_template(
        "jobs/show_job.html",
        row=describe_job(actor(), job),
        job=job,
        args=described_args(job.kind, job.args),
        lines=queries.read_lines(actor(), job),
        deliveries=describe_deliveries(list_deliveries(actor(), job_id)),
        may_change=queries.is_own(actor(), job),
        days=RESULT_DAYS,
        feed=describe_feed(actor(), entries_about(actor(), "job", job_id), about=True),
        has_worker=job.state != JobState.QUEUED or queries.has_worker(),
    )


@bp.route("/jobs/new/<kind>", methods=["GET", "POST"])
@role_required()
@max_body(FORM_BODY)
def start_job(kind: str) -> ResponseReturnValue:
    """The form of a kind, or the start of a job of it. A link may fill in fields."""
    found = next((each for each in startable_kinds() if each.name == kind), None)
    if found is None:
        raise NotFound(NO_KIND)
    form = form_of(found)(data={**found.suggest(actor()), **request.args})
    target = form.data.get("target")
    sent = submit(form, lambda: deliveries.start_job(actor(), kind, form.data, target))
    if sent.done:
        job_id, _delivery = sent.result
        return redirect(url_for("jobs.show_job", job_id=job_id), 303)
    return render_template("jobs/start_job.html", form=form, kind=found), sent.status


@bp.post("/jobs/<int:job_id>/cancel")
@role_required()
def cancel_job(job_id: int) -> Response:
    if services.cancel_job(actor(), job_id):
        Notice(_("The job is cancelled.")).show()
    else:
        Notice(_("The job had ended already.")).show("caution")
    return redirect(url_for("jobs.show_job", job_id=job_id), 303)


@bp.post("/jobs/<int:job_id>/retry")
@role_required()
def retry_job(job_id: int) -> Response:
    """Start the job again, in the name of whoever asks for it."""
    new_id = services.retry_job(actor(), job_id)
    name = label_of(queries.load_job(actor(), new_id).kind)
    Notice(_("%(name)s was started again.", name=name)).show()
    return redirect(url_for("jobs.show_job", job_id=new_id), 303)
