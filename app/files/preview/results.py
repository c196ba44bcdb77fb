"""What is made from stored files to show them, by a child process, and stored beside them: small
pictures, and whether a PDF contains JavaScript. What cannot be shown is remembered too, so that a
hostile file costs its time once.
"""

import hashlib
import json
import logging
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from importlib import metadata
from pathlib import Path
from uuid import uuid4

from app.children import NoFreeSlot, acquire_slot, run
from app.concurrency import run_in_thread
from app.current import settings
from app.database.engine import release_connection
from app.errors import DomainError, Unavailable
from app.files.preview.child import MOST_PIXELS, REFUSED, WALL_SECONDS
from app.files.storage.folder import (
    open_stored,
    path_of,
    preview_path,
    refusal_of,
    sync,
)
from app.text import N_, Message

log = logging.getLogger("gazetteer.previews")

PROGRAM = Path(__file__).with_name("child.py")
AT_ONCE = 2  # children of all processes of a host
WAIT_SECONDS = 3.0
# The child ends itself before that, unless it was not given a processor.
CHILD_SECONDS = WALL_SECONDS + 5.0
# What took too long may have been unlucky.
RETRY_SECONDS = 24 * 3600
INTERRUPTED_SECONDS = 60
LIVES = {"too_complex": RETRY_SECONDS, "interrupted": INTERRUPTED_SECONDS}
OUTPUT_READ = 64 << 10  # bytes of what a child says before it fails
MILLION = 1_000_000

INTERRUPTED = N_("The preview of this file was interrupted. Try again in a minute.")
# Why there is no preview, by the name that the child reports.
PROBLEMS: dict[str, Callable[[int], Message]] = {
    "too_large": lambda pixels: N_(
        "This picture cannot be shown: it has %(n)s megapixels; at most %(most)s are shown.",
        n=-(-pixels // MILLION),
        most=MOST_PIXELS // MILLION,
    ),
    "damaged": lambda _: N_("This picture cannot be shown: the file is damaged."),
    "too_complex": lambda _: N_("This file cannot be shown: it takes too much time or memory."),
    "interrupted": lambda _: INTERRUPTED,
    "scripted": lambda _: N_("This PDF is not shown here because it contains JavaScript."),
    "unclear": lambda _: N_(
        "This PDF is not shown here because it may contain JavaScript: parts of it cannot be read."
    ),
}


class NotShown(DomainError):
    """There is no preview of this file; the message says why."""


class Busy(Unavailable):
    """As many previews as may be made at once are being made."""

    text = N_("Other previews are being made. Try again in a moment.")


class Interrupted(Busy):
    """The child was ended from outside, by a person or by the kernel when memory ran out."""

    text = INTERRUPTED

    def __init__(self) -> None:
        super().__init__()
        self.headers["Retry-After"] = str(INTERRUPTED_SECONDS)


@cache
def version() -> str:
    """A digest of the code of previews, and of Pillow. What another version has made or checked is
    not used: it may have had a fault that this one does not have."""
    digest = hashlib.sha256(metadata.version("pillow").encode())
    for path in sorted(PROGRAM.parent.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def cached_path(stored_name: str, part: str) -> Path:
    """The path of what this version makes from a stored file: a picture in one of its sizes, the
    "checked" PDF, or the "problem" why there is no preview."""
    return preview_path(settings().files_dir, stored_name, f"{part}-{version()}")


def find_problem(stored_name: str) -> Message | None:
    """Why there is no preview of a file, if that is known."""
    path = cached_path(stored_name, "problem")
    try:
        report = json.loads(path.read_bytes())
        age = time.time() - path.stat().st_mtime
        problem = PROBLEMS[report["problem"]](report.get("pixels", 0))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return None if age > LIVES.get(report["problem"], age) else problem


def get_or_generate(stored_name: str, part: str, *words: str) -> Path:
    """The path of what is generated from a stored file, by a child if it does not exist; no
    connection to the database is held in the meantime. NotShown if that is impossible, Busy if it
    may be possible later."""
    path = cached_path(stored_name, part)
    if path.exists():
        return path
    release_connection()
    try:
        with acquire_slot(settings().instance, "preview", AT_ONCE, WAIT_SECONDS):
            # Another request may have generated it in the meantime.
            problem = None if path.exists() else find_problem(stored_name)
            if problem is None and not path.exists():
                problem = generate(stored_name, path, words)
    except NoFreeSlot:
        raise Busy() from None
    except OSError as error:
        raise refusal_of(error) from error
    if problem is INTERRUPTED:
        raise Interrupted()
    if problem is not None:
        raise NotShown(problem)
    return path


def generate(stored_name: str, path: Path, words: tuple[str, ...]) -> Message | None:
    """Have a child generate the file of this path; why that is impossible, otherwise None."""
    folder = settings().files_dir
    draft = folder / "incoming" / f"{uuid4().hex}.part"
    draft.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open_stored(path_of(folder, stored_name)) as source, draft.open("x+b") as target:
            status = run(PROGRAM, words, source, target, CHILD_SECONDS)
            target.seek(0)
            output = b"" if status == 0 else target.read(OUTPUT_READ)
        if status != 0:
            path = cached_path(stored_name, "problem")
            draft.write_text(json.dumps(read_report(stored_name, status, output)))
        path.parent.mkdir(parents=True, exist_ok=True)
        run_in_thread(sync, draft)
        draft.rename(path)
    finally:
        draft.unlink(missing_ok=True)
    return None if status == 0 else find_problem(stored_name)


def read_report(stored_name: str, status: int | None, output: bytes) -> dict[str, object]:
    """What a child says that failed. One that was ended cannot say anything: its own limits end it
    by other signals than those of people and of the kernel without memory."""
    with suppress(ValueError, KeyError, TypeError):
        report = json.loads(output) if status == REFUSED else {}
        PROBLEMS[report["problem"]](report.get("pixels", 0))
        return dict(report)
    last = output.decode(errors="replace").strip().rpartition("\n")[2]
    log.warning("the preview of %s ended with status %s: %s", stored_name, status, last)
    killed = status in (-signal.SIGKILL, -signal.SIGTERM)
    return {"problem": "interrupted" if killed else "too_complex"}
