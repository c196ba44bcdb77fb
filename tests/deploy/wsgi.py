"""The application, and a view that sends slow statements to MariaDB."""

from sqlalchemy import text

from app.database.engine import db
from app.wsgi import app

__all__ = ["STATEMENTS", "app"]

STATEMENTS = {
    "compute": "SELECT BENCHMARK(1000000000000, SHA2('a', 256))",
    "wait": "SELECT COUNT(*) FROM city",  # for whoever has locked the table
}


@app.get("/slow/<name>")
def slow(name: str) -> str:
    db.session.execute(text(STATEMENTS[name]))
    return "ok"
