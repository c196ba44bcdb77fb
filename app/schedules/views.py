"""The pages of schedules, for administrators."""

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from app.actor import Role
from app.current import actor
from app.errors import NotFound
from app.history.feed import describe_feed
from app.history.queries import entries_about
from app.history.subjects import all_subjects
from app.jobs.kinds import NO_KIND, JobKind, all_kinds, load_kind
from app.jobs.queries import has_worker
from app.jobs.rows import described_args
from app.schedules import queries, services
from app.schedules.forms import ScheduleForm, filled_form, form_of
from app.schedules.rows import describe_schedules, state_of
from app.schedules.rules import check_kind
from app.schedules.shipped import name_of
from app.text import parse_integer
from app.times import now
from app.web.declarations import max_body
from app.web.forms import BaseForm, submit
from app.web.notices import Notice
from app.web.permissions import role_required

bp = Blueprint("schedules", __name__)

FORM_BODY = 4 << 20  # as that of a job


def offered_kinds() -> list[JobKind]:
    return [kind for kind in all_kinds().values() if kind.is_offered_to(actor())]


def to_schedule(schedule_id: int) -> Response:
    return redirect(url_for("schedules.show_schedule", schedule_id=schedule_id), 303)


@bp.get("/schedules")
@role_required(Role.ADMIN, by_token=False)
def list_schedules() -> str:
    rows = describe_schedules(actor(), queries.list_schedules(actor()))
    rows = [row for row in rows if not row.is_unknown]
    rows.sort(key=lambda row: row.name)
    return render_template(
        "schedules/list_schedules.html",
        rows=[row for row in rows if not row.is_housekeeping],
        housekeeping=[row for row in rows if row.is_housekeeping],
        kinds=offered_kinds(),
    )


@bp.route("/schedules/new/<kind>", methods=["GET", "POST"])
@role_required(Role.ADMIN, by_token=False)
@max_body(FORM_BODY)
def create_schedule(kind: str) -> ResponseReturnValue:
    """The form of a new schedule for jobs of a kind."""
    found = next((each for each in offered_kinds() if each.name == kind), None)
    if found is None:
        raise NotFound(NO_KIND)
    form = form_of(found)(data=found.suggest(actor()))
    sent = submit(form, lambda: services.create_schedule(actor(), form.input, kind, form.arguments))
    if sent.done:
        return to_schedule(sent.result)
    return draw_form(form, found, sent.status)


def draw_form(
    form: ScheduleForm, kind: JobKind, status: int, schedule_id: int | None = None, name: str = ""
) -> tuple[str, int]:
    page = render_template(
        "schedules/edit_schedule.html", form=form, kind=kind, schedule_id=schedule_id, name=name
    )
    return page, status


@bp.get("/schedules/<int:schedule_id>")
@role_required(Role.ADMIN, by_token=False)
def show_schedule(schedule_id: int) -> str:
    """One schedule: its next moments, its latest runs, what was done with it."""
    row = queries.load_schedule(actor(), schedule_id)
    [described] = describe_schedules(actor(), [row])
    entries = entries_about(actor(), "schedule", schedule_id)
    return render_template(
        "schedules/show_schedule.html",
        row=described,
        schedule=row,
        args=described_args(row.kind, row.args),
        upcoming=[] if row.paused else row.timing.preview(now()),
        runs=queries.list_runs(actor(), schedule_id),
        state_of=state_of,
        feed=describe_feed(actor(), entries, about=True),
        has_worker=has_worker(),
    )


@bp.route("/schedules/<int:schedule_id>/edit", methods=["GET", "POST"])
@role_required(Role.ADMIN, by_token=False)
@max_body(FORM_BODY)
def update_schedule(schedule_id: int) -> ResponseReturnValue:
    row = queries.load_schedule(actor(), schedule_id)
    kind, name = load_kind(row.kind), name_of(row.name, row.shipped)
    check_kind(kind)
    form = filled_form(row, kind)
    version = parse_integer(form.version.data or "", 1, 2**31 - 1)
    sent = submit(
        form,
        lambda: services.update_schedule(actor(), schedule_id, version, form.input, form.arguments),
    )
    if sent.done:
        Notice(_("The schedule is saved.")).show()
        return to_schedule(schedule_id)
    return draw_form(form, kind, sent.status, schedule_id, name)


@bp.post("/schedules/<int:schedule_id>/pause")
@role_required(Role.ADMIN, by_token=False)
def pause_schedule(schedule_id: int) -> Response:
    if services.pause_schedule(actor(), schedule_id):
        Notice(_("The schedule is paused.")).show()
    return to_schedule(schedule_id)


@bp.post("/schedules/<int:schedule_id>/resume")
@role_required(Role.ADMIN, by_token=False)
def resume_schedule(schedule_id: int) -> Response:
    if services.resume_schedule(actor(), schedule_id):
        Notice(_("The schedule goes on.")).show()
    return to_schedule(schedule_id)


@bp.post("/schedules/<int:schedule_id>/run")
@role_required(Role.ADMIN, by_token=False)
def run_schedule(schedule_id: int) -> Response:
    job_id = services.run_schedule(actor(), schedule_id)
    link = all_subjects()["job"].url(job_id)
    Notice(_("The job was started."), link, _("Open")).show()
    return to_schedule(schedule_id)


@bp.post("/schedules/<int:schedule_id>/remove")
@role_required(Role.ADMIN, by_token=False)
def delete_schedule(schedule_id: int) -> Response:
    name = services.delete_schedule(actor(), schedule_id)
    Notice(_("The schedule %(name)s was removed.", name=name)).show()
    return redirect(url_for("schedules.list_schedules"), 303)


@bp.route("/schedules/remove-all", methods=["GET", "POST"])
@role_required(Role.ADMIN, by_token=False)
def delete_all() -> ResponseReturnValue:
    """Remove all schedules, on a page that asks."""
    form = BaseForm()
    sent = submit(form, lambda: services.delete_all(actor()))
    if sent.done:
        Notice(_("All schedules were removed.")).show()
        return redirect(url_for("schedules.list_schedules"), 303)
    count = sum(not row.shipped for row in queries.list_schedules(actor()))
    return render_template("schedules/delete_all.html", form=form, count=count), sent.status
