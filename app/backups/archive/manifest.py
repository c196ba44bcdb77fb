"""The manifest: the first member of a backup, which says what the others are."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from app.config import ROOT
from app.errors import DomainError
from app.text import N_

FORMAT = 1  # raised when an older release could not read a backup any more
# Its place in the archive has this size, because it is written last and read first.
PLACE = 64 * 1024
NAMED_FILES = 100  # files with a problem that the manifest names


class BadBackup(DomainError):
    """A backup that cannot be used; the message says why."""


@dataclass(frozen=True)
class Member:
    """The size of a member and the SHA-256 of its bytes."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class DatabasePart:
    """What the backup has of the database: `kind` is sqlite or mariadb, `content` is the dump,
    `packed` the member with it compressed, `tables` the number of rows of each table, and `hashes`,
    of a MariaDB dump, the SHA-256 of the rows of each table."""

    kind: str
    revision: str
    content: Member
    packed: Member
    tables: Mapping[str, int]
    hashes: Mapping[str, str] = field(default_factory=dict)

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


@dataclass(frozen=True)
class FilesPart:
    """What the backup has of the shared files; `listing` is the member with their hashes. Some
    cannot be right: those that were missing, and those whose content is not what was uploaded."""

    count: int
    bytes: int
    listing: Member
    missing: int = 0
    altered: int = 0
    named: tuple[str, ...] = ()  # the stored names of the first of them


@dataclass(frozen=True)
class Manifest:
    """What a backup contains."""

    made_at: datetime
    release: str
    database: DatabasePart
    settings: Member
    files: FilesPart
    format: int = FORMAT


def this_release() -> str:
    """The version of this code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def digest(values: Mapping[str, Any]) -> str:
    """The SHA-256 of everything in a manifest but itself."""
    rest = {name: value for name, value in values.items() if name != "digest"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def dump(manifest: Manifest) -> bytes:
    """The manifest as JSON, filled up with spaces."""
    values = {**asdict(manifest), "made_at": manifest.made_at.isoformat()}
    text = json.dumps({**values, "digest": digest(values)}, indent=1).encode()
    if len(text) >= PLACE:
        raise BadBackup(N_("The manifest is too large: there are too many tables."))
    return text.ljust(PLACE - 1) + b"\n"


def load(text: bytes) -> Manifest:
    """Read a manifest; BadBackup if it was altered or is of a newer release."""
    try:
        values = json.loads(text)
        version = values["format"]
    except (ValueError, TypeError, KeyError):
        raise altered() from None
    if isinstance(version, int) and version > FORMAT:
        raise BadBackup(N_("This backup was made by a newer release, which has to restore it."))
    try:
        if values.pop("digest") != digest(values):
            raise altered()
        return build(values)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise altered() from None


def build(values: dict[str, Any]) -> Manifest:
    database, files = values["database"], values["files"]
    return Manifest(
        made_at=datetime.fromisoformat(values["made_at"]),
        release=values["release"],
        database=DatabasePart(
            **{
                **database,
                "content": Member(**database["content"]),
                "packed": Member(**database["packed"]),
            }
        ),
        settings=Member(**values["settings"]),
        files=FilesPart(
            **{**files, "listing": Member(**files["listing"]), "named": tuple(files["named"])}
        ),
        format=values["format"],
    )


def altered() -> BadBackup:
    return BadBackup(N_("The manifest of this backup was altered, or this is not a backup."))
