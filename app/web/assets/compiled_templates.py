"""Compiled templates are stored with the compiled code, in `app/__pycache__`, so that a worker does
not compile them again: that is a third of its start.

jinja compares only the source. What it computes while it compiles, such as a filter of a constant,
also depends on its own version and on our code, which the checksum here includes.
"""

import hashlib
import sys
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from flask import Flask
from jinja2 import FileSystemBytecodeCache
from jinja2.bccache import Bucket

from app.config import ROOT

FOLDER = ROOT / "app" / "__pycache__" / "templates"
LIBRARIES = ("jinja2", "flask", "flask-babel", "markupsafe")


class CompiledTemplates(FileSystemBytecodeCache):
    """Those of this code. As with Python's own files, one that cannot be read is made again, and
    one that cannot be written is not."""

    def __init__(self, folder: Path) -> None:
        super().__init__(str(folder))
        self.code = code_hash()  # now: the files may be replaced while this process runs

    def get_source_checksum(self, source: str) -> str:
        return hashlib.sha256(f"{self.code}{source}".encode()).hexdigest()

    def load_bytecode(self, bucket: Bucket) -> None:
        try:
            super().load_bytecode(bucket)
        except Exception:  # pickle raises many kinds of errors
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        with suppress(OSError):
            Path(self.directory).mkdir(parents=True, exist_ok=True)
            super().dump_bytecode(bucket)


@cache
def code_hash() -> str:
    """The hash of all that a compiled template depends on beside its source."""
    digest = hashlib.sha256(repr([version(name) for name in LIBRARIES]).encode())
    for path in sorted((ROOT / "app").rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def init_app(app: Flask) -> None:
    """Use them, unless Python may not write compiled files either."""
    if not sys.dont_write_bytecode:
        app.jinja_env.bytecode_cache = CompiledTemplates(FOLDER)
