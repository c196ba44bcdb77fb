"""Jobs as pages show them."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from flask_babel import lazy_gettext as _l

from app.actor import Actor, Via
from app.history.entries import COMMAND_LINE, person_names
from app.history.subjects import all_subjects
from app.jobs.kinds import all_kinds, label_of
from app.jobs.models import Job, JobState
from app.jobs.queries import has_worker
from app.jobs.worker.processes import short_name
from app.text import load_messages
from app.times import now

STATES: Mapping[str, Any] = {
    JobState.QUEUED: _l("Waiting"), JobState.RUNNING: _l("Running"), JobState.DONE: _l("Done"),
    JobState.FAILED: _l("Failed"), JobState.CANCELLED: _l("Cancelled"), JobState.LOST: _l("Lost"),
}  # fmt: skip
NOBODY = _l("Everybody")
SCHEDULE = _l("Schedule")
FILE = "file"  # the kind of subject


@dataclass(frozen=True)
class JobRow:
    """One job. `who` is whose it is; `about_url` leads to what it is about, `file_url` to the file
    that is its result, if that is still there."""

    job: Job
    label: str
    who: str
    about_url: str = ""
    file_url: str = ""
    file_name: str = ""

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
    """The same for one alone, with what it is about and its file."""
    [row] = describe_jobs([job])
    about_url = url_of(actor, job.about_kind, job.about_id)
    file_url = url_of(actor, FILE, job.file_id)
    return replace(row, about_url=about_url, file_url=file_url, file_name=file_name_of(job))


def show_job(job: Job | None) -> dict[str, Any]:
    """What the page of a thing needs to show the job about it: its row, and whether a process does
    jobs."""
    [row] = describe_jobs([job]) if job else [None]
    waits = job is not None and job.state == JobState.QUEUED
    return {"job": row, "has_worker": not waits or has_worker()}


def owner_of(job: Job, names: Mapping[int, str]) -> str:
    if job.created_by is not None:
        return names[job.created_by]
    kind = all_kinds().get(job.kind)
    if kind and kind.shared:
        return str(NOBODY)
    return str(SCHEDULE if job.via == Via.SCHEDULE else COMMAND_LINE)


def url_of(actor: Actor, kind: str | None, subject_id: int | None) -> str:
    """The address of a subject of the history; empty if there is none that the actor may read."""
    subject = all_subjects().get(kind or "")
    if subject is None or subject_id is None:
        return ""
    readable: Collection[int] = subject.may_read(actor, [subject_id])
    return subject.url(subject_id) if subject_id in readable else ""


def file_name_of(job: Job) -> str:
    """Folder and name of the file that is the result; empty if there is none, or none any more."""
    if job.file_id is None:
        return ""
    return all_subjects()[FILE].labels([job.file_id]).get(job.file_id, "")


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
