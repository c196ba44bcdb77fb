"""Who acts: a person on a page or through a token, a job, a schedule, or the command line.

Plain values, without Flask and without the database: every service that writes takes an `Actor`
as its first argument.
"""

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person may do; each role includes the ones before it."""

    VIEWER = "viewer"
    EDITOR = "editor"
    ADMIN = "admin"


RANKS = {role: rank for rank, role in enumerate(Role)}


class Via(StrEnum):
    """The way in which somebody acts."""

    PAGE = "page"
    TOKEN = "token"  # noqa: S105 - not a secret
    JOB = "job"
    SCHEDULE = "schedule"
    COMMAND = "command"


@dataclass(frozen=True)
class Actor:
    """Who acts. `id` is the person's row and None for the command line and for visitors;
    `role` is None for visitors."""

    id: int | None
    name: str
    role: Role | None
    via: Via = Via.PAGE
    token_id: int | None = None
    request_id: str | None = None

    @classmethod
    def operator(cls) -> "Actor":
        """Whoever runs a `flask` command: all rights, not a row of the table of people."""
        return cls(None, "operator", Role.ADMIN, Via.COMMAND)

    def has_role(self, role: Role) -> bool:
        """True if the actor's role includes this one."""
        return self.role is not None and RANKS[self.role] >= RANKS[role]

    @property
    def is_signed_in(self) -> bool:
        """True for a person, by page or token."""
        return self.id is not None

    @property
    def person_id(self) -> int:
        """The id of the person who acts; RuntimeError for an actor who is not a person."""
        if self.id is None:
            raise RuntimeError(f"{self.name or 'a visitor'} is not a person")
        return self.id

    @property
    def by_token(self) -> bool:
        """True if a script acts with a person's token."""
        return self.via is Via.TOKEN

    @property
    def may_write(self) -> bool:
        """True for editors and administrators."""
        return self.has_role(Role.EDITOR)

    @property
    def is_admin(self) -> bool:
        """True for administrators."""
        return self.has_role(Role.ADMIN)


# A visitor: signs in, or claims a new installation.
ANONYMOUS = Actor(None, "", None)
