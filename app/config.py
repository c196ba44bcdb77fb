"""Settings from the environment, typed and checked.

Every process reads them when it starts, from the environment and then from `.env` in the project
folder (or the file that ENV_FILE names), so that a reload picks up changes to the file. An invalid
setting raises `SettingError`, whose message says what to set. `.env.example` lists every setting
with its default; a test compares the two.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from app.settings.delivery_targets import DeliveryTarget, delivery_targets
from app.settings.environment import ROOT, SettingError, env_file, environment
from app.settings.parsers import (
    boolean,
    check_redis_url,
    choice,
    database_url,
    extensions,
    integer,
    site_name,
    time_zone,
    words,
)
from app.settings.secret_key import generate_key, stored_key
from app.settings.sockets import redis_socket, short_socket

__all__ = [
    "LANGUAGES",
    "PASSWORD_METHOD",
    "ROOT",
    "SettingError",
    "Settings",
    "env_file",
    "environment",
    "redis_socket",
    "short_socket",
]

LANGUAGES = ("en", "zh")
# A host without a port; a dot in front includes all names below.
HOST = r"\.?[a-z0-9_-]+(\.[a-z0-9_-]+)*"
PASSWORD_METHOD = "scrypt:32768:8:3"  # noqa: S105 - parameters that OWASP recommends


@dataclass(frozen=True)
class Settings:
    """One field per setting; sizes in bytes, where the name does not say otherwise."""

    instance: Path
    host: str
    port: int
    web_workers: int
    job_children: int
    delivery_targets: tuple[DeliveryTarget, ...]
    database_url: str
    redis_url: str
    private_redis: bool
    stored_key: str  # empty until the embedded mode has generated one
    secure: bool
    trusted_proxies: int
    trusted_hosts: tuple[str, ...]
    public_read: bool
    files_dir: Path
    backup_dir: Path
    backups_retained: int
    import_dir: Path | None
    upload_extensions: tuple[str, ...]
    upload_max_bytes: int
    nginx_sends_files: bool
    redis_timeout_ms: int
    redis_maxmemory_mb: int
    session_idle_hours: int
    session_absolute_days: int
    site_name: str
    default_language: str
    time_zone: str
    log_format: str
    log_level: str
    security_log_days: int
    removed_days: int

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
            job_children=integer(env, "JOB_CHILDREN", 1, 1, 64),
            delivery_targets=delivery_targets(env),
            database_url=database_url(env.get("DATABASE_URL", ""), instance),
            redis_url=check_redis_url(redis_url) or f"unix://{redis_socket(instance)}",
            private_redis=not redis_url,
            stored_key=stored_key(env.get("SECRET_KEY", ""), instance, embedded),
            secure=boolean(env, "SECURE"),
            trusted_proxies=integer(env, "TRUSTED_PROXIES", 0, 0, 5),
            trusted_hosts=words(env, "TRUSTED_HOSTS", HOST, "example.org"),
            public_read=boolean(env, "PUBLIC_READ"),
            files_dir=Path(env.get("FILES_DIR") or instance / "files").resolve(),
            backup_dir=Path(env.get("BACKUP_DIR") or instance / "backups").resolve(),
            backups_retained=integer(env, "BACKUPS_RETAINED", 7, 1, 1000),
            import_dir=Path(env["IMPORT_DIR"]).resolve() if env.get("IMPORT_DIR") else None,
            upload_extensions=extensions(env),
            upload_max_bytes=integer(env, "UPLOAD_MAX_MB", 100, 1, 100_000) << 20,
            nginx_sends_files=boolean(env, "NGINX_SENDS_FILES"),
            redis_timeout_ms=integer(env, "REDIS_TIMEOUT_MS", 300, 50, 10_000),
            redis_maxmemory_mb=integer(env, "REDIS_MAXMEMORY_MB", 256, 16, 1_000_000),
            session_idle_hours=integer(env, "SESSION_IDLE_HOURS", 12, 1, 24 * 90),
            session_absolute_days=integer(env, "SESSION_ABSOLUTE_DAYS", 14, 1, 365),
            site_name=site_name(env.get("SITE_NAME", "")),
            default_language=choice(env, "DEFAULT_LANGUAGE", LANGUAGES),
            time_zone=time_zone(env.get("TIME_ZONE", "")),
            log_format=choice(env, "LOG_FORMAT", ("text", "json")),
            log_level=choice(env, "LOG_LEVEL", ("INFO", "DEBUG", "WARNING", "ERROR")),
            security_log_days=integer(env, "SECURITY_LOG_DAYS", 180, 1, 3650),
            removed_days=integer(env, "REMOVED_DAYS", 30, 1, 3650),
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
