"""The kinds of jobs. A package registers its own in its init_app:

    kinds.add(app, JobKind("cities.export", _l("Export"), export.run, Role.VIEWER, EXPORT_FORM))

A job runs in a worker, may be begun again after its worker was killed, and works in short
transactions whose last statement is `run.guard()` (run.py), so that each has its effect once.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask, current_app

from app.actor import Actor, Role
from app.errors import NotFound
from app.text import N_

if TYPE_CHECKING:
    from app.jobs.run import Run

EXTENSION = "gazetteer-job-kinds"
NO_KIND = N_("There is no such kind of job.")

Args = Mapping[str, Any]  # JSON values


def any_args(args: Args) -> Args:
    return args


@dataclass(frozen=True)
class JobKind:
    """One kind of job. `label` is what people call it, translated when it is shown; `role` and
    `by_token` say who may start it. `check` returns the checked arguments, or raises Invalid;
    `form` is the class of the form with fields of their names, which the page of an `offered` kind
    shows, with the values that `suggest` returns for somebody. `describe` returns what a page shows
    of the arguments.

    Of an `exclusive` kind one job runs at a time, and if it has a `family`, one of all kinds of
    that family. With `key_of` the result is shared: it belongs to nobody, is computed once for the
    arguments that have the same key, and all members may read it. The result of one that `delivers`
    may be sent to a server of the list (deliveries/).

    `run` does the work and returns the result as text. If it does not report progress or write to
    its log for `patience` seconds, its process is killed and the job begun again. `housekeeping` is
    the same work for the clock, which does it itself when a schedule says so."""

    name: str
    label: Any
    run: "Callable[[Run], str | None]"
    role: Role = Role.EDITOR
    form: Any = None
    exclusive: bool = False
    offered: bool = False
    family: str = ""
    by_token: bool = True
    key_of: Callable[[Args], str] | None = None
    delivers: bool = False
    check: Callable[[Args], Args] = any_args
    describe: Callable[[Args], Mapping[str, str]] = lambda _args: {}
    suggest: Callable[[Actor], Args] = lambda _actor: {}
    patience: float = 600
    housekeeping: Callable[[], object] | None = None

    @property
    def shared(self) -> bool:
        return self.key_of is not None

    def is_offered_to(self, actor: Actor) -> bool:
        """True if the actor may start jobs of this kind on its page."""
        return self.offered and actor.has_role(self.role) and (self.by_token or not actor.by_token)

    @property
    def running_key(self) -> str | None:
        """What only one running job may have."""
        return (self.family or self.name) if self.exclusive else None


def init_app(app: Flask) -> None:
    app.extensions.setdefault(EXTENSION, {})


def add(app: Flask, kind: JobKind) -> None:
    """Make a kind known; called by a package's init_app()."""
    app.extensions.setdefault(EXTENSION, {})[kind.name] = kind


def add_housekeeping(app: Flask, name: str, label: Any, work: Callable[[], object]) -> None:
    """Make a kind known whose work is bounded to some seconds, in short transactions, and does no
    harm if it is done twice, also at once. It is a job only if somebody starts it by hand; what it
    returns is the result."""

    def run(_run: "Run") -> str:
        return str(work() or 0)

    add(app, JobKind(name, label, run, Role.ADMIN, by_token=False, housekeeping=work))


def all_kinds() -> Mapping[str, JobKind]:
    """All kinds by name."""
    found: Mapping[str, JobKind] = current_app.extensions[EXTENSION]
    return found


def label_of(name: str) -> str:
    """The name of a kind for people; one of a newer release as it is."""
    kind = all_kinds().get(name)
    return str(kind.label) if kind else name


def load_kind(name: str) -> JobKind:
    kind = all_kinds().get(name)
    if kind is None:
        raise NotFound(NO_KIND)
    return kind
