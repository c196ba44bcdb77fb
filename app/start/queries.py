"""What the start page shows, each part bounded, however large the tables are."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.actor import Actor, Role
from app.backups.proofs import Proof, last_proof
from app.cities.importing.queries import Unconfirmed, count_unconfirmed
from app.cities.services import SAMPLE_COUNT
from app.cities.statistics.queries import Statistics, count_changed, read_statistics
from app.database.service import permitted
from app.files.folders.queries import FileTotals, read_totals
from app.files.listing import FileListing
from app.files.models import File
from app.files.queries import list_newest
from app.files.upload.batches import RunningBatch
from app.files.upload.progress import RunningUpload, list_running
from app.history.recent import ChangeGroup, recent_changes
from app.schedules.queries import ProblemRuns, read_problems

GROUPS_SHOWN, FILES_SHOWN, UPLOADS_SHOWN = 12, 6, 5
NEW_MOST = 3  # changes after which the first steps are hidden


@dataclass(frozen=True)
class Overview:
    """`changed_today` is None for more than COUNT_MOST. `imports` and `uploads` are the reader's
    own; of uploads the newest of those that are going on, and how many more there are.
    `uploading` are the ids of the batches that anybody is uploading. `proof` of backups and
    `problems` of schedules are for administrators."""

    figures: Statistics
    changed_today: int | None
    files: FileTotals
    imports: Unconfirmed
    uploads: Sequence[RunningUpload | RunningBatch]
    more_uploads: int
    uploading: Collection[str]
    newest_files: list[File]
    changes: list[ChangeGroup]
    proof: Proof | None
    problems: ProblemRuns | None

    @property
    def is_new(self) -> bool:
        """True for an installation without files in which little was done yet."""
        return self.files.is_known and not self.files.files and len(self.changes) <= NEW_MOST

    @property
    def needs_cities(self) -> bool:
        """True if there are none, or only the sample that was added when it was set up."""
        return self.figures.is_known and self.figures.cities in (0, SAMPLE_COUNT)


@permitted(Role.VIEWER)
def read_overview(actor: Actor, today: datetime) -> Overview:
    """Everything of the page; `today` is when the reader's day began. What Redis has comes first,
    because reading it may end the transaction in which the rest is read."""
    running = list_running(actor)
    uploads = running.own if actor.may_write else ()
    figures = read_statistics(actor)
    files = read_totals(actor, FileListing())
    return Overview(
        figures=figures,
        changed_today=count_changed(actor, today),
        files=files,
        uploads=uploads[:UPLOADS_SHOWN],
        more_uploads=len(uploads[UPLOADS_SHOWN:]),
        uploading=running.batch_ids,
        imports=count_unconfirmed(actor) if actor.may_write else Unconfirmed(0, 0),
        newest_files=list_newest(actor, FILES_SHOWN),
        changes=recent_changes(actor, GROUPS_SHOWN),
        proof=last_proof() if actor.is_admin else None,
        problems=read_problems() if actor.is_admin else None,
    )
