"""Idempotency keys of forms that create something: a form that is sent twice creates it once."""

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.database.engine import db
from app.database.failures import violates
from app.database.service import unrecorded
from app.database.types import Moment, bounded
from app.times import now

KEY_LENGTH = 80
MAX_AGE = timedelta(days=2)
DELETED_AT_ONCE = 500


class IdempotencyKey(db.Model):  # type: ignore[name-defined,misc]
    """A submitted form, by its `hash_key()`, and the id of what it created."""

    __tablename__ = "form_key"
    __table_args__ = ({"mysql_charset": "utf8mb4"},)

    key: Mapped[str] = mapped_column(bounded(KEY_LENGTH), primary_key=True)
    result_id: Mapped[int | None]
    created_at: Mapped[Moment] = mapped_column(index=True)


KEYS = IdempotencyKey.__table__  # used without the ORM, which costs more than the statements


def new_key() -> str:
    """A new key, for a hidden field of a form."""
    return secrets.token_urlsafe(16)


def hash_key(actor_id: int | None, key: str, sent: Sequence[object]) -> str:
    """The stored key: a hash of actor, form key and values. The values are part of it because the
    browser's Back button shows a form again with its old key."""
    return hashlib.sha256(json.dumps([actor_id, key, *sent]).encode()).hexdigest()


def run_once(
    actor_id: int | None,
    key: str | None,
    sent: Sequence[object],
    make: Callable[[], int],
    is_there: Callable[[int], bool],
) -> int:
    """Call `make` and return the new id. If the same values were sent with the same key before,
    return the id of the first time instead, unless `is_there` says that it was deleted. Call it
    within a service: key and row are then committed together, and a second request with the same
    key waits for the first. Without a key, `make` is always called.
    """
    if not key:
        return make()
    used_key = hash_key(actor_id, key, sent)
    if not is_first_use(used_key):
        # A locking read sees what the other transaction committed, whatever our snapshot is.
        query = select(KEYS.c.result_id).where(KEYS.c.key == used_key).with_for_update()
        before: int | None = db.session.scalar(query)
        if before is not None and is_there(before):
            return before
    made = make()
    db.session.execute(update(KEYS).where(KEYS.c.key == used_key).values(result_id=made))
    return made


def is_first_use(key: str) -> bool:
    """Note a key within a running service; False if it was noted before."""
    try:  # without a savepoint: a failed INSERT leaves the transaction as it was
        db.session.execute(insert(KEYS).values(key=key))
    except IntegrityError as error:
        if not violates(error, "pk_form_key"):
            raise
        return False
    return True


@unrecorded
def delete_old_keys() -> int:
    """Delete keys of forms that nobody will send again, some at a time; returns how many."""
    old = select(KEYS.c.key).where(KEYS.c.created_at < now() - MAX_AGE).limit(DELETED_AT_ONCE)
    keys = db.session.scalars(old).all()
    if keys:
        db.session.execute(delete(KEYS).where(KEYS.c.key.in_(keys)))
    return len(keys)
