"""Idempotency keys of forms that create something: a form that is sent twice creates it once.

A service looks the key up before it creates something (`created_by_form()`), and stores it with the
id at its end (`store_key()`). Of two requests with one key the second has to wait until the first
has committed, and look after that: so the service first locks the values (`lock_names()`).
"""

import hashlib
import json
import secrets
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import Select, Table, bindparam, delete, insert, select, update
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
INSERT = insert(KEYS)
IS_KEY = KEYS.c.key == bindparam("form_key")
REPLACE = update(KEYS).where(IS_KEY).values(result_id=bindparam("result"))


def new_key() -> str:
    """A new key, for a hidden field of a form."""
    return secrets.token_urlsafe(16)


def hash_key(actor_id: int | None, key: str, sent: Iterable[object]) -> str:
    """The stored key: a hash of actor, form key and values. The values are part of it because the
    browser's Back button shows a form again with its old key."""
    return hashlib.sha256(json.dumps([actor_id, key, *sent]).encode()).hexdigest()


def created_by_form(table: Table) -> Select[tuple[int | None]]:
    """A query for what a form has created in a table, by its stored key, the parameter `form_key`:
    one row if the form was sent before, with an id, or with NULL if that was deleted since."""
    created = KEYS.outerjoin(table, table.c.id == KEYS.c.result_id)
    return select(table.c.id).select_from(created).where(IS_KEY)


def store_key(key: str, result_id: int, replace: bool) -> None:
    """Store the key of a form with the id of what it created, within a running service;
    `replace` if the key is stored, and what it created was deleted."""
    if replace:
        db.session.execute(REPLACE, {"form_key": key, "result": result_id})
    else:
        db.session.execute(INSERT, {"key": key, "result_id": result_id})


def is_first_use(key: str) -> bool:
    """Note a key within a running service; False if it was noted before."""
    try:  # without a savepoint: a failed INSERT leaves the transaction as it was
        db.session.execute(INSERT, {"key": key})
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
