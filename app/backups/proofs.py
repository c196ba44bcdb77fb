"""The last proof that a backup can be restored, and when to warn that there is none."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.auth.models import Person
from app.backups.models import BackupProof
from app.database.engine import db
from app.text import load_messages
from app.times import now

PROOF_AGE = timedelta(days=2)  # of a backup every night, one may fail


@dataclass(frozen=True)
class Proof:
    """`proven_at` is when a backup was last restored to prove that it can be, and `name` which;
    `problem` why the rehearsals since failed. `is_due` is true if there is something to lose, and
    no backup of the last days is proven."""

    proven_at: datetime | None = None
    name: str = ""
    problem: str = ""
    is_due: bool = False


def last_proof() -> Proof:
    newest = select(BackupProof).order_by(BackupProof.at.desc(), BackupProof.id.desc()).limit(1)
    latest = db.session.scalar(newest)
    proven = db.session.scalar(newest.where(BackupProof.problem.is_(None)))
    problem = load_messages(latest.problem or "") if latest else ""
    if proven is None:
        return Proof(problem=problem, is_due=bool(problem) or is_in_use())
    is_old = (proven.made_at or proven.at) < now() - PROOF_AGE
    return Proof(proven.at, proven.name, problem, is_due=bool(problem) or is_old)


def is_in_use() -> bool:
    """True if the first person was added so long ago that there should be a proven backup."""
    first = db.session.scalar(select(func.min(Person.created_at)))
    return first is not None and first < now() - PROOF_AGE
