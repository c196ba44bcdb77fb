"""Who acts: a person on a page or through a token, a job, a schedule, or the command line.

Plain values without Flask or the database. Every service that writes takes an `Actor` as its first
argument.
"""

from dataclasses import dataclass, field
from enum import StrEnum

from app.errors import Forbidden, Unauthorized
from app.text import N_


class Role(StrEnum):
    """What a person may do; each role includes the ones before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


RANKS = {role: rank for rank, role in enumerate(Role)}
NOT_INCLUDED = N_("Your role does not include this.")


class Via(StrEnum):
    """The channel that an action came through."""

    PAGE = "page"
    TOKEN = "token"  # noqa: S105 - not a secret
    JOB = "job"
    SCHEDULE = "schedule"
    COMMAND = "command"


@dataclass(frozen=True)
class Actor:
    """`id` is the person's id, None for the command line and for visitors; `role` is None for
    visitors."""

    id: int | None
    name: str
    role: Role | None
    via: Via = Via.PAGE
    token_id: int | None = None
    request_id: str | None = None
    # The epoch of the session (app/auth/models.py::Person).
    epoch: int | None = None
    # The last change of this person, or of this request, as a timestamp of app/redis/changes.py:
    # cached values from before it are not shown to them. None if only current values are shown.
    last_write: int | None = field(default=None, compare=False)

    @classmethod
    def operator(cls) -> "Actor":
        """The actor of `flask` commands: an administrator without a row in the person table."""
        return cls(None, "operator", Role.ADMIN, Via.COMMAND)

    def has_role(self, role: Role) -> bool:
        """True if the actor has this role or a higher one."""
        return self.role is not None and RANKS[self.role] >= RANKS[role]

    @property
    def is_signed_in(self) -> bool:
        """True for a person, on a page or through a token. For what pages show: a permission asks
        `has_role(Role.VIEWER)`, because the command line has a role and is not a person."""
        return self.id is not None

    @property
    def person_id(self) -> int:
        """The person's id; raises RuntimeError if the actor is not a person."""
        if self.id is None:
            raise RuntimeError(f"{self.name or 'a visitor'} is not a person")
        return self.id

    @property
    def by_token(self) -> bool:
        """True if a script acts with a person's token."""
        return self.via is Via.TOKEN

    @property
    def may_write(self) -> bool:
        return self.has_role(Role.EDITOR)

    @property
    def is_admin(self) -> bool:
        return self.has_role(Role.ADMIN)


@dataclass(frozen=True)
class Preferences:
    """How a person wants to read pages. None is what the browser says, or the default."""

    language: str | None = None
    time_zone: str | None = None
    page_size: int | None = None


def check_permission(actor: Actor, role: Role | None, by_token: bool = True) -> None:
    """Raise Unauthorized for a visitor, Forbidden for an actor of a lower role, and with
    `by_token=False` also for a script. A role of None lets everybody pass."""
    if role is not None and not actor.has_role(role):
        raise Unauthorized() if actor.role is None else Forbidden(NOT_INCLUDED)
    if actor.by_token and not by_token:
        raise Forbidden(N_("A token is not enough for this: sign in."))


# Those of visitors, whose browsers store them, and of scripts.
NO_PREFERENCES = Preferences()
# A visitor, who may sign in or claim a new installation.
ANONYMOUS = Actor(None, "", None)
