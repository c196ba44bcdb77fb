"""What a setting may be: each function parses one kind and raises `SettingError` in words."""

import re
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from app.settings.environment import SettingError

SITE_NAME_LENGTH = 40


def integer(env: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    """Parse an integer setting between two bounds."""
    text = env.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
        raise SettingError(f"{name} must be a whole number from {low} to {high}, not {text!r}.")
    return int(text)


def boolean(env: Mapping[str, str], name: str) -> bool:
    """Parse a setting that is 1 or 0; the default is 0."""
    return choice(env, name, ("0", "1")) == "1"


def choice(env: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    """Parse a setting with a list of allowed values; the first is the default."""
    text = env.get(name) or allowed[0]
    if text not in allowed:
        raise SettingError(f"{name} must be one of {', '.join(allowed)}, not {text!r}.")
    return text


def site_name(text: str) -> str:
    """Check the name of the site; the default is Gazetteer."""
    name = text.strip() or "Gazetteer"
    if len(name) > SITE_NAME_LENGTH or not name.isprintable():
        raise SettingError(
            f"SITE_NAME must be one line of 1 to {SITE_NAME_LENGTH} characters, not {text!r}."
        )
    return name


def time_zone(text: str) -> str:
    """Check the name of a time zone; the default is Asia/Shanghai."""
    text = text or "Asia/Shanghai"
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingError(
            f"TIME_ZONE must be a name such as Europe/Berlin, not {text!r}."
        ) from None
    return text


def words(env: Mapping[str, str], name: str, pattern: str, example: str) -> tuple[str, ...]:
    """Parse a setting that is a list, separated by commas, in lower case."""
    found = [word.strip().lower() for word in env.get(name, "").split(",")]
    for word in filter(None, found):
        if not re.fullmatch(pattern, word):
            raise SettingError(f"{name} must be names such as {example}, not {word!r}.")
    return tuple(filter(None, found))


def extensions(env: Mapping[str, str]) -> tuple[str, ...]:
    """Parse file extensions, which need no dot. The default, also written as *, is that every
    extension is accepted."""
    if env.get("UPLOAD_EXTENSIONS", "").strip() == "*":
        return ()
    found = words(env, "UPLOAD_EXTENSIONS", r"\.*[a-z0-9]{1,16}", "pdf,png")
    return tuple(word.lstrip(".") for word in found)


def check_redis_url(text: str) -> str:
    """Check the scheme of a Redis URL; an empty one is allowed."""
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise SettingError("REDIS_URL must begin with redis://, rediss:// or unix://.")
    return text


def database_url(text: str, instance: Path) -> str:
    """The SQLAlchemy URL of the database; `mysql://` becomes `mysql+pymysql://` with utf8mb4."""
    if not text:
        return f"sqlite:///{instance / 'gazetteer.sqlite'}"
    from sqlalchemy.engine import make_url  # only here, so that the private Redis starts sooner
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # ValueError if the port is not a number
        raise SettingError(
            "DATABASE_URL must look like mysql://user:password@host/database."
        ) from None
    if url.drivername in ("mysql", "mariadb"):
        url = url.set(drivername="mysql+pymysql")
    if url.drivername == "mysql+pymysql":
        if not url.database:
            raise SettingError("DATABASE_URL must name a database after the last slash.")
        url = url.update_query_dict({"charset": "utf8mb4"})
    elif url.drivername != "sqlite":
        raise SettingError("DATABASE_URL must begin with mysql:// or sqlite:///.")
    elif not url.database or url.database == ":memory:":
        raise SettingError("DATABASE_URL must name a file after sqlite:///.")
    return url.render_as_string(hide_password=False)
