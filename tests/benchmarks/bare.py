"""A bare Flask application, for the first row of the table."""

from flask import Flask

app = Flask(__name__)


@app.get("/empty")
def empty() -> str:
    """An empty response."""
    return "ok"
