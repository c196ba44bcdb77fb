"""Doing one job: claim it, call its kind in the name of its person, write how it ended."""

import logging
import time
from collections.abc import Callable

from redis.exceptions import RedisError

from app.actor import ANONYMOUS, Actor, Role, Via, check_permission
from app.auth.queries import load_person
from app.database import failures
from app.database.engine import db
from app.database.failures import DATABASE_ERRORS, DatabaseError, tolerated
from app.errors import DomainError, Fault, Invalid, Locked, Unavailable
from app.jobs.counts import publish_count
from app.jobs.kinds import JobKind, all_kinds
from app.jobs.models import JobState
from app.jobs.run import Cancelled, Lost, Run, Stopping, check_access
from app.jobs.worker import claim as claims
from app.jobs.worker.beats import Beats
from app.jobs.worker.claim import AWAY_SECONDS, Claim, Text
from app.redis import failures as redis_failures
from app.text import Message

log = logging.getLogger("gazetteer.jobs")

# What is over in a moment, or when an operator has acted: then the job is begun again.
PASSING = (failures.Kind.ABSENCE, failures.Kind.BUSY, failures.Kind.DEADLOCK, failures.Kind.LOCK)


def run_job(job_id: int, beats: Beats, is_stopping: Callable[[], bool]) -> None:
    """Do a job, if it is to be done. What the database does not take is left to the beats: without
    them the job is begun again."""
    with tolerated(f"job {job_id} was not claimed or its end not written"):
        claim = None if is_stopping() else claims.claim_job(job_id, beats.name)
        if claim is None:
            return
        begun = time.monotonic()
        kind = all_kinds()[claim.kind]
        run = Run(claim, ANONYMOUS, is_stopping)
        beats.follow(run, kind.patience)
        try:
            ended = perform(run, kind)
            publish_count(claim.created_by)
        finally:
            beats.unfollow()
        log.info("job %s (%s): %s after %.2f s", job_id, kind.name, ended, time.monotonic() - begun)


def perform(run: Run, kind: JobKind) -> str:
    """Call the kind, and write how that ended; returns it for the log."""
    claim = run.claim
    try:
        run.actor = load_actor(claim, kind)
        run.role = None if kind.shared else kind.role
        db.session.rollback()
        result = kind.run(run)
    except Lost:
        return "lost to another process"
    except Cancelled:
        return end(claim, JobState.CANCELLED)
    except Stopping:
        claims.give_back(claim)
        return "given back, because this worker stops"
    except (DomainError, RedisError, *DATABASE_ERRORS) as error:
        return end_with_error(claim, error)
    except Exception:
        log.exception("job %s (%s) failed", claim.job_id, claim.kind)
        return end(claim, JobState.FAILED, message=Fault.text)
    return end(claim, JobState.DONE, result)


def end(
    claim: Claim, state: JobState, result: str | None = None, message: Text | None = None
) -> str:
    """Write how the job ended, if it is still ours."""
    return state if claims.finish(claim, state, result, message) else "lost to another process"


def end_with_error(claim: Claim, error: DomainError | RedisError | DatabaseError) -> str:
    """Have the job begun again if a service is away; otherwise it has failed, in words."""
    db.session.rollback()
    if is_passing(error):
        log.warning("job %s (%s): %s", claim.job_id, claim.kind, type(error).__name__)
        claims.give_back(claim, AWAY_SECONDS)
        return "given back, because a service is away"
    if isinstance(error, DATABASE_ERRORS):
        error = failures.refuse(error, f"job {claim.job_id}", is_change=True)
    elif isinstance(error, RedisError):
        log.error("job %s: Redis: %s", claim.job_id, redis_failures.describe(error))
        error = Fault()
    return end(claim, JobState.FAILED, message=text_of(error))


def is_passing(error: DomainError | RedisError | DatabaseError) -> bool:
    """True for an error that has nothing to do with the job."""
    if isinstance(error, DATABASE_ERRORS):
        return failures.classify(error) in PASSING
    if isinstance(error, RedisError):
        return redis_failures.classify(error) is redis_failures.ErrorKind.ABSENCE
    return isinstance(error, Unavailable | Locked)


def text_of(error: DomainError) -> Text:
    """The message of an error, untranslated where that is one sentence."""
    text = error.args[0]
    if isinstance(error, Invalid) and not text and len(error.fields) == 1:
        [text] = error.fields.values()
    return text if isinstance(text, Message) else error.message


def load_actor(claim: Claim, kind: JobKind) -> Actor:
    """In whose name the job is done: the person, as they are now, by the token that started it;
    the operator; nobody for a shared result."""
    if kind.shared:
        return ANONYMOUS
    request_id = f"job-{claim.job_id}"
    actor = acting_person(claim.created_by, Via(claim.via), claim.token_id, kind.role, request_id)
    check_permission(actor, kind.role, kind.by_token)
    return actor


def acting_person(
    person_id: int | None,
    via: Via,
    token_id: int | None,
    role: Role,
    request_id: str | None = None,
) -> Actor:
    """The actor for a person as they are now, who must still have access and this role; with a
    token that was used, it must still be valid. None is the operator."""
    if person_id is None:
        return Actor(None, "operator", Role.ADMIN, via)
    person = load_person(person_id)
    via = Via.TOKEN if token_id is not None else Via.JOB
    actor = Actor(person.id, person.name, Role(person.role), via, token_id, request_id)
    check_access(actor, role)
    return actor
