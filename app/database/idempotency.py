"""One-time keys of forms that create something: sent twice, they make one thing."""

import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from datetime import timedelta

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from app.database.constraints import violates
from app.database.engine import db
from app.database.service import after_commit, bookkeeping
from app.database.types import Moment, bounded
from app.times import now

KEY_LENGTH = 80
KEPT = timedelta(days=2)


class IdempotencyKey(db.Model):  # type: ignore[name-defined,misc]
    """A form that was used, as own_key() names it, and what was made of it."""

    __tablename__ = "form_key"
    __table_args__ = ({"mysql_charset": "utf8mb4"},)

    key: Mapped[str] = mapped_column(bounded(KEY_LENGTH), primary_key=True)
    result_id: Mapped[int | None]
    created_at: Mapped[Moment] = mapped_column(index=True)


KEYS = IdempotencyKey.__table__  # written as rows: objects cost more than the statements themselves


def new_key() -> str:
    """A key for a form that is about to be drawn."""
    return secrets.token_urlsafe(16)


def hash_key(actor_id: int | None, key: str, sent: Sequence[object]) -> str:
    """What is stored of a form: the actor's key together with the values that were sent, as JSON.
    The browser's Back button shows a form again with the key it had; with other values in it, it
    means another thing."""
    return hashlib.sha256(json.dumps([actor_id, key, *sent]).encode()).hexdigest()


def run_once(
    actor_id: int | None,
    key: str | None,
    sent: Sequence[object],
    make: Callable[[], int],
    is_there: Callable[[int], bool],
) -> int:
    """Call `make` and return the id it made; where the same values were sent with the same key
    before, only return the id of then, unless that thing is no longer there. `actor_id` is None for
    the command line. Part of a running service: key and thing are committed together, and a second
    sender of the same waits for the first. Without a key it always makes something.

    The key is written first and by itself. A refused statement leaves the transaction as it was,
    on both databases, so that no savepoint is needed: it would cost two round trips at each form.
    """
    if not key:
        return make()
    used_key = hash_key(actor_id, key, sent)
    try:
        db.session.execute(insert(KEYS).values(key=used_key))
    except IntegrityError as error:
        if not violates(error, "pk_form_key"):
            raise
        # A locking read sees what the other committed, whatever this transaction read before.
        query = select(KEYS.c.result_id).where(KEYS.c.key == used_key).with_for_update()
        before: int | None = db.session.scalar(query)
        if before is not None and is_there(before):
            return before
    made = make()
    db.session.execute(update(KEYS).where(KEYS.c.key == used_key).values(result_id=made))
    if made % 100 == 0:  # now and then is often enough, and never inside the same transaction
        after_commit(delete_old_keys)
    return made


@bookkeeping
def delete_old_keys() -> None:
    """Forget keys of forms that nobody will send again."""
    db.session.execute(delete(IdempotencyKey).where(IdempotencyKey.created_at < now() - KEPT))
