"""Applications that tests share.

Creating an application takes longer than most tests. So there is one per process and combination of
settings, whose folder, database and Redis are emptied before each test. A test that changes the
application itself uses its own.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from weakref import WeakKeyDictionary

from flask import Flask
from flask_migrate import upgrade
from redis import Redis
from redis.exceptions import RedisError

from app import create_app
from app.config import Settings
from app.database.engine import db

KEY = "k" * 64
PASSWORD_METHOD = "scrypt:256:8:1"  # 384 times faster than that of real accounts


def environment(folder: Path, redis_url: str, database_url: str = "") -> dict[str, str]:
    """The settings of a test, as environment variables."""
    return {
        "INSTANCE": str(folder / "instance"),
        "REDIS_URL": redis_url,
        "DATABASE_URL": database_url or f"sqlite:///{folder / 'test.sqlite'}",
        "SECRET_KEY": KEY,
    }


def migrate(app: Flask) -> None:
    """Run the migrations and close the connections."""
    with app.app_context():
        upgrade()
        db.engine.dispose()


def release(app: Flask) -> None:
    """Close all connections of an application."""
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


class Applications:
    """The applications of one test process, over one folder and one Redis."""

    def __init__(self, folder: Path, redis_url: str, template: Path) -> None:
        self.folder = folder
        self.redis_url = redis_url
        self.template = template
        self.redis = Redis.from_url(redis_url)
        self.made: dict[tuple[object, ...], Flask] = {}
        self.extensions: WeakKeyDictionary[Flask, dict[str, object]] = WeakKeyDictionary()
        self.used: Counter[frozenset[tuple[str, str]]] = Counter()
        self.open: list[Flask] = []
        self.fills: dict[Callable[[Flask], str], str] = {}

    def begin(self) -> None:
        """Before a test: copy the migrated database, empty the folder and Redis."""
        self.redis.flushall()
        shutil.rmtree(self.folder / "instance", ignore_errors=True)
        for old in self.folder.glob("test.sqlite*"):
            old.unlink()
        shutil.copyfile(self.template, self.folder / "test.sqlite")
        self.used.clear()

    def filled(self, app: Flask, fill: Callable[[Flask], str]) -> str:
        """Fill the database and the folder of an application that this test has just begun to use;
        returns the result of `fill`. That happens once: afterwards they are copied. Redis is empty.
        """
        folder = self.folder / f"{fill.__module__}.{fill.__name__}"
        if fill not in self.fills:
            self.fills[fill] = fill(app)
            release(app)
            self.redis.flushall()
            shutil.copytree(self.folder / "instance", folder / "instance")
            for file in self.folder.glob("test.sqlite*"):
                shutil.copyfile(file, folder / file.name)
        else:
            release(app)
            shutil.copytree(folder, self.folder, dirs_exist_ok=True)
        return self.fills[fill]

    def get(self, own: bool, commands: bool, changed: dict[str, str]) -> Flask:
        """An application with these settings that this test does not use yet."""
        settings = frozenset({**changed, "commands": str(commands)}.items())
        self.used[settings] += 1
        key = (settings, self.used[settings])
        app = None if own else self.made.get(key)
        if app is None or not works(app):
            app = self.make(commands, changed)
            # An application with another Redis is not shared: the URL is different each time.
            if not own and "REDIS_URL" not in changed:
                self.made[key] = app
        # Reset what packages have stored in the application during earlier tests.
        extensions = self.extensions.setdefault(app, app.extensions.copy())
        app.extensions.clear()
        app.extensions.update(extensions)
        self.open.append(app)
        return app

    def make(self, commands: bool, changed: dict[str, str]) -> Flask:
        """Create an application."""
        settings = Settings.load({**environment(self.folder, self.redis_url), **changed})
        app = create_app(settings, commands)
        app.testing = True
        app.config["PASSWORD_METHOD"] = PASSWORD_METHOD
        return app

    def end(self) -> None:
        """After a test: close all connections."""
        for app in self.open:
            release(app)
        self.open.clear()

    def close(self) -> None:
        """After the last test: close the connection to Redis."""
        self.redis.close()


def works(app: Flask) -> bool:
    """True if the application reaches Redis. Its circuit breaker may be open for a moment after
    a test in which Redis failed."""
    try:
        return bool(app.extensions["redis"].ping())
    except RedisError:
        return False
