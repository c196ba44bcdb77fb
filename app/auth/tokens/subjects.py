"""What the history shows about tokens."""

from collections.abc import Collection, Iterable, Mapping

from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from app.actor import Actor, Role
from app.auth.models import ApiToken, Person
from app.database.engine import db
from app.history.subjects import Subject


def token_labels(ids: Iterable[int]) -> Mapping[int, str]:
    """The labels of tokens, each with its owner's name."""
    query = (
        select(ApiToken.id, ApiToken.label, Person.name)
        .join(Person, ApiToken.person_id == Person.id)
        .where(ApiToken.id.in_(list(ids)))
    )
    return {row.id: f"{row.label} ({row.name})" for row in db.session.execute(query)}


def readable_tokens(actor: Actor, ids: Collection[int]) -> Collection[int]:
    """All for administrators; others read about their own."""
    if actor.is_admin:
        return ids
    if not actor.has_role(Role.VIEWER):
        return ()
    own = select(ApiToken.id).where(ApiToken.id.in_(ids), ApiToken.person_id == actor.id)
    return db.session.scalars(own).all()


TOKEN = Subject(
    kind="token",
    name=_l("Token"),
    labels=token_labels,
    url=lambda token_id: "",
    may_read=readable_tokens,
    fixed_name=True,
    actions={"token.create": _l("Token created"), "token.revoke": _l("Token revoked")},
    fields={"label": _l("Label"), "days": _l("Days until it expires")},
)
