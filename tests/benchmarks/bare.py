"""Flask and nothing else, for the table's first row."""

from flask import Flask

app = Flask(__name__)


@app.get("/empty")
def empty() -> str:
    """Nothing at all."""
    return "ok"
