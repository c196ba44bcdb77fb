"""Settings from the environment, typed and checked.

Every process reads them when it starts, from the environment and then from `.env` in the project
folder (or the file that ENV_FILE names), so that a reload picks up changes to the file. An invalid
setting raises `SettingError`, whose message says what to set. `.env.example` lists every setting
with its default; a test compares the two.
"""

import hashlib
import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("en", "zh")
KEY_FILE = "secret_key"
# A host without a port; a dot in front includes all names below.
HOST = r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*"
PASSWORD_METHOD = "scrypt:32768:8:3"  # noqa: S105 - parameters that OWASP recommends


class SettingError(click.ClickException, ValueError):
    """An invalid setting; the message says which one and what to set. A flask command exits with
    it and status 2."""

    exit_code = 2


@dataclass(frozen=True)
class Settings:
    """One field per setting; sizes in bytes, where the name does not say otherwise."""

    instance: Path
    host: str
    port: int
    web_workers: int
    database_url: str
    redis_url: str
    private_redis: bool
    stored_key: str  # empty until the embedded mode has generated one
    secure: bool
    trusted_proxies: int
    trusted_hosts: tuple[str, ...]
    public_read: bool
    files_dir: Path
    upload_extensions: tuple[str, ...]
    upload_max_bytes: int
    nginx_sends_files: bool
    redis_timeout_ms: int
    redis_maxmemory_mb: int
    session_idle_hours: int
    session_absolute_days: int
    default_language: str
    time_zone: str
    log_format: str
    log_level: str
    security_log_days: int

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read and check all settings; tests pass `environ` instead of environment and file."""
        env = environment() if environ is None else environ
        instance = Path(env.get("INSTANCE") or ROOT / "instance").resolve()
        redis_url = env.get("REDIS_URL", "")
        embedded = not redis_url and not env.get("DATABASE_URL")
        return cls(
            instance=instance,
            host=env.get("HOST") or "127.0.0.1",
            port=integer(env, "PORT", 8000, 1, 65535),
            web_workers=integer(env, "WEB_WORKERS", 2, 1, 64),
            database_url=database_url(env.get("DATABASE_URL", ""), instance),
            redis_url=check_redis_url(redis_url) or f"unix://{redis_socket(instance)}",
            private_redis=not redis_url,
            stored_key=stored_key(env.get("SECRET_KEY", ""), instance, embedded),
            secure=boolean(env, "SECURE"),
            trusted_proxies=integer(env, "TRUSTED_PROXIES", 0, 0, 5),
            trusted_hosts=words(env, "TRUSTED_HOSTS", HOST, "example.org"),
            public_read=boolean(env, "PUBLIC_READ"),
            files_dir=Path(env.get("FILES_DIR") or instance / "files").resolve(),
            upload_extensions=extensions(env),
            upload_max_bytes=integer(env, "UPLOAD_MAX_MB", 100, 1, 100_000) << 20,
            nginx_sends_files=boolean(env, "NGINX_SENDS_FILES"),
            redis_timeout_ms=integer(env, "REDIS_TIMEOUT_MS", 300, 50, 10_000),
            redis_maxmemory_mb=integer(env, "REDIS_MAXMEMORY_MB", 256, 16, 1_000_000),
            session_idle_hours=integer(env, "SESSION_IDLE_HOURS", 12, 1, 24 * 90),
            session_absolute_days=integer(env, "SESSION_ABSOLUTE_DAYS", 14, 1, 365),
            default_language=choice(env, "DEFAULT_LANGUAGE", LANGUAGES),
            time_zone=time_zone(env.get("TIME_ZONE", "")),
            log_format=choice(env, "LOG_FORMAT", ("text", "json")),
            log_level=choice(env, "LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
            security_log_days=integer(env, "SECURITY_LOG_DAYS", 180, 1, 3650),
        )

    @cached_property
    def secret_key(self) -> str:
        """The key that signs set-up links, CSRF tokens, the addresses of forms and the cookies of
        browsers. The embedded mode generates it when it is first needed, because a command may
        choose another folder (`flask dev`, `flask demo`)."""
        return self.stored_key or generate_key(self.instance)

    def flask_config(self, web: bool = False) -> dict[str, Any]:
        """The configuration of Flask and its extensions, with our own settings under SETTINGS.
        `web` is for processes that answer requests. See app/web/hooks.py::Site for the key."""
        return {
            "SETTINGS": self,
            "PASSWORD_METHOD": PASSWORD_METHOD,
            "SQLALCHEMY_DATABASE_URI": self.database_url,
            "WEB": web,  # app/database/limits.py: time limits of statements
            # The name and Secure depend on the request: see auth/sessions/.
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
            # The lifetime of the cookie; the session's time-outs are in auth/sessions/.
            "PERMANENT_SESSION_LIFETIME": self.session_absolute_days * 86400,
            # Otherwise a slow request would write a session back after the sign-out.
            "SESSION_REFRESH_EACH_REQUEST": False,
            # Tokens of the release before: see app/web/posts/csrf.py.
            "WTF_CSRF_TIME_LIMIT": None,
            "BABEL_DEFAULT_LOCALE": self.default_language,
            "BABEL_DEFAULT_TIMEZONE": self.time_zone,
            "BABEL_TRANSLATION_DIRECTORIES": str(ROOT / "translations"),
            # app/web/posts/bodies.py sets the limits of each request.
            "MAX_CONTENT_LENGTH": 65_536,
            "MAX_FORM_PARTS": 1_000,
        }


def env_file() -> Path:
    """The path of the settings file, which may not exist."""
    return Path(os.environ.get("ENV_FILE") or ROOT / ".env")


def environment() -> dict[str, str]:
    """The values of the env file, overridden by the environment. A file that ENV_FILE names must
    exist."""
    if os.environ.get("ENV_FILE") and not env_file().exists():
        raise SettingError(f"ENV_FILE names {env_file()}, which does not exist.")
    from_file = {k: v for k, v in dotenv_values(env_file()).items() if v is not None}
    return {**from_file, **os.environ}


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


def check_redis_url(text: str) -> str:
    """Check the scheme of a Redis URL; an empty one is allowed."""
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise SettingError("REDIS_URL must begin with redis://, rediss:// or unix://.")
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


def short_socket(instance: Path, name: str) -> Path:
    """The path of a unix socket of this instance. Such a path may have about 107 bytes, and
    supervisor appends some while it starts, so the sockets of a long path are in a private folder
    under the system's temporary folder."""
    path = instance / name
    if len(os.fsencode(path)) <= 96:
        return path
    digest = hashlib.sha256(os.fsencode(instance)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"gazetteer-{os.getuid()}-{digest}" / path.name


def redis_socket(instance: Path) -> Path:
    """The socket of the private Redis."""
    return short_socket(instance, "redis/redis.sock")


def stored_key(text: str, instance: Path, embedded: bool) -> str:
    """The given key, of at least 32 characters, or that in the file of the embedded mode; empty if
    there is no file yet. A server must be given one."""
    if text:
        if len(text) < 32:
            raise SettingError("SECRET_KEY must have at least 32 characters.")
        return text
    if not embedded:
        raise SettingError(
            "SECRET_KEY must be set when DATABASE_URL or REDIS_URL is; "
            "`openssl rand -hex 32` prints one."
        )
    path = instance / KEY_FILE
    return read_key(path) if path.exists() else ""


def generate_key(instance: Path) -> str:
    """Generate a key in a file that only its owner can read; returns the one in the file."""
    path = instance / KEY_FILE
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=instance)  # mkstemp gives mode 0600
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_hex(32))
    try:
        os.link(draft, path)  # fails if another process was faster; its key is then used
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()
    return read_key(path)


def read_key(path: Path) -> str:
    key = path.read_text()
    if len(key) < 32:
        raise SettingError(f"{path} is damaged; remove it to have a new key generated.")
    return key
