"""Jobs as pages show them."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l

from app.actor import Actor, Via
from app.history.entries import COMMAND_LINE, person_names
from app.history.subjects import all_subjects
from app.jobs.kinds import all_kinds, label_of
from app.jobs.models import Job, JobState
from app.jobs.worker.processes import short_name
from app.text import load_messages
from app.times import now

STATES: Mapping[str, Any] = {
    JobState.QUEUED: _l("Waiting"), JobState.RUNNING: _l("Running"), JobState.DONE: _l("Done"),
    JobState.FAILED: _l("Failed"), JobState.CANCELLED: _l("Cancelled"), JobState.LOST: _l("Lost"),
}  # fmt: skip
NOBODY = _l("Everybody")
SCHEDULE = _l("Schedule")


@dataclass(frozen=True)
class JobRow:
    """One job. `who` is whose it is; `about_url` leads to what it is about."""

    job: Job
    label: str
    who: str
    about_url: str = ""

    @property
    def id(self) -> int:
        return self.job.id

    @property
    def state(self) -> str:
        return str(STATES.get(self.job.state, self.job.state))

    @property
    def message(self) -> str:
        return load_messages(self.job.message or "")

    @property
    def share(self) -> float | None:
        """How much of it is done, from 0 to 1, if that is known."""
        total = self.job.progress_total
        return min(1.0, self.job.progress_done / total) if total else None

    @property
    def is_ending(self) -> bool:
        """True if it runs and is to be cancelled."""
        return self.job.is_active and self.job.cancel_asked

    @property
    def duration(self) -> timedelta | None:
        """How long its last attempt has taken."""
        begun = self.job.started_at
        return (self.job.ended_at or now()) - begun if begun else None

    @property
    def process(self) -> str:
        return short_name(self.job.claimed_by) if self.job.claimed_by else ""


def describe_jobs(jobs: Sequence[Job]) -> list[JobRow]:
    """The rows of a list."""
    names = person_names(job.created_by for job in jobs if job.created_by is not None)
    return [JobRow(job, label_of(job.kind), owner_of(job, names)) for job in jobs]


def describe_job(actor: Actor, job: Job) -> JobRow:
    """The same for the page of one, with the address of what it is about."""
    [row] = describe_jobs([job])
    return JobRow(job, row.label, row.who, about_url(actor, job))


def owner_of(job: Job, names: Mapping[int, str]) -> str:
    if job.created_by is not None:
        return names[job.created_by]
    kind = all_kinds().get(job.kind)
    if kind and kind.shared:
        return str(NOBODY)
    return str(SCHEDULE if job.via == Via.SCHEDULE else COMMAND_LINE)


def about_url(actor: Actor, job: Job) -> str:
    subject = all_subjects().get(job.about_kind or "")
    if subject is None or job.about_id is None:
        return ""
    readable: Collection[int] = subject.may_read(actor, [job.about_id])
    return subject.url(job.about_id) if job.about_id in readable else ""


def described_args(kind_name: str, args: str) -> Mapping[str, str]:
    """What a page shows of the arguments of a job of this kind, which are JSON: by the labels of
    the form's fields."""
    kind = all_kinds().get(kind_name)
    if kind is None:
        return {}
    form = kind.form and kind.form(formdata=None)
    shown = kind.describe(json.loads(args))
    return {
        str(form[name].label.text) if form and name in form else name: text
        for name, text in shown.items()
    }
