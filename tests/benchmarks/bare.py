"""Bare Flask, beside which the others are measured: an empty view, and files without a sign-in."""

import os
from pathlib import Path

from flask import Flask, Response, send_from_directory

app = Flask(__name__)


@app.get("/empty")
def empty() -> str:
    """An empty response."""
    return "ok"


@app.get("/files/<name>")
def download(name: str) -> Response:
    """A file of the folder."""
    return send_from_directory(Path(os.environ["FILES_DIR"]), name, as_attachment=True)
