"""Backups as jobs, which show how far they are and go on without a page. The administrator of the
machine has the same as `flask backup`, and restores by that alone."""

from flask_babel import lazy_gettext as _l

from app.actor import Role
from app.backups.rehearsing import rehearse_backup
from app.backups.services import Backup, create_backup
from app.jobs.kinds import JobKind
from app.jobs.run import Run
from app.text import N_, Bytes
from app.web.forms import BaseForm


class BackupForm(BaseForm):
    """There is nothing to choose."""


def create(run: Run) -> str:
    """Back everything up; the result is the name of the backup."""
    return described(run, create_backup(run.actor, run.report))


def rehearse(run: Run) -> str:
    """Prove that the newest backup can be restored; the result is its name."""
    return described(run, rehearse_backup(run.actor, progress=run.report))


def described(run: Run, backup: Backup) -> str:
    """Note in the log what the backup has."""
    if backup.manifest:
        database, files = backup.manifest.database, backup.manifest.files
        run.log(
            N_(
                "%(rows)s rows and %(files)s files, %(size)s in all.",
                rows=database.rows,
                files=files.count,
                size=Bytes(backup.bytes),
            )
        )
    return backup.name


# Both need the lock of the folder of backups: at the same time the second one would fail.
CREATE, REHEARSE = (
    JobKind(
        name,
        label,
        work,
        Role.ADMIN,
        BackupForm,
        exclusive=True,
        offered=True,
        family="backup",
        by_token=False,
    )
    for name, label, work in (
        ("backup.create", _l("Backup"), create),
        ("backup.rehearse", _l("Rehearsal of a restore"), rehearse),
    )
)
