"""What the history shows about jobs."""

from collections.abc import Collection, Iterable, Mapping

from flask import url_for
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app.actor import Actor, Role
from app.database.engine import db
from app.history.subjects import Subject
from app.jobs.kinds import label_of
from app.jobs.models import Job
from app.jobs.queries import visible_to


def job_labels(ids: Iterable[int]) -> Mapping[int, str]:
    """The names of their kinds."""
    query = select(Job.id, Job.kind).where(Job.id.in_(list(ids)))
    return {row.id: label_of(row.kind) for row in db.session.execute(query)}


def readable_jobs(actor: Actor, ids: Collection[int]) -> Collection[int]:
    """All for administrators; others read about their own."""
    if not actor.has_role(Role.VIEWER):
        return ()
    return db.session.scalars(select(Job.id).where(Job.id.in_(ids), visible_to(actor))).all()


JOB = Subject(
    kind="job",
    name=_l("Job"),
    labels=job_labels,
    url=lambda job_id: url_for("jobs.show_job", job_id=job_id),
    may_read=readable_jobs,
    fixed_name=True,
    actions={
        "job.start": _l("Job started"),
        "job.cancel": _l("Job cancelled"),
        "job.retry": _l("Job started again"),
        "job.deliver": _l("Result sent"),
    },
    fields={"kind": _l("Kind"), "target": _l("To")},
    formats={"kind": label_of},
    sentences={
        "job.start": _l("%(who)s started %(what)s"),
        "job.cancel": _l("%(who)s cancelled %(what)s"),
        "job.retry": _l("%(who)s started %(what)s again"),
        "job.deliver": _l("%(who)s had the result of %(what)s sent"),
    },
    this=_l("this job"),
)
