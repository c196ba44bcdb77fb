"""The extensions, unbound; `create_app()` binds them. Nothing here opens a connection."""

from typing import Any

from flask_babel import Babel
from flask_wtf import CSRFProtect
from sqlalchemy import Dialect, Engine, event


@event.listens_for(Engine, "do_connect")
def connect_mariadb(dialect: Dialect, _record: object, args: Any, options: Any) -> Any:
    """Connect to MariaDB with our subclass of the driver's connection, in every process."""
    if dialect.driver != "pymysql":
        return None  # as the dialect does by itself
    from app.database.mariadb import SharedTlsConnection

    return SharedTlsConnection(*args, **options)


csrf = CSRFProtect()
babel = Babel()
