"""`make demo` does not use the settings of a real installation."""

import os

from app.cli.demo import isolate_environment
from app.config import Settings

REAL = {
    "WEB_WORKERS": "7",
    "PORT": "8123",
    "SECRET_KEY": "k" * 64,
    "SECURE": "1",
    "TRUSTED_PROXIES": "1",
    "PUBLIC_READ": "1",
    "DATABASE_URL": "mysql://u:p@127.0.0.1/gazetteer",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "UPLOAD_MAX_MB": "3",
}


def test_settings_of_the_env_file_are_removed(tmp_path, monkeypatch):
    """The flask command has loaded the file into the environment before the demo starts."""
    file = tmp_path / "real.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in REAL.items()))
    for name, value in {**REAL, "ENV_FILE": str(file), "INSTANCE": "/srv/real"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PORT", "8001")  # make demo PORT=8001
    isolate_environment(tmp_path / "demo")
    assert REAL.keys() & os.environ.keys() == {"PORT"}
    chosen = Settings.load()
    assert (chosen.port, chosen.web_workers, chosen.instance) == (8001, 2, tmp_path / "demo")
    assert (chosen.secure, chosen.trusted_proxies, chosen.public_read) == (False, 0, False)
    assert chosen.private_redis


def test_exported_settings_that_a_demo_must_not_share_are_removed(tmp_path, monkeypatch):
    for name, value in {**REAL, "ENV_FILE": os.devnull, "INSTANCE": "/srv/real"}.items():
        monkeypatch.setenv(name, value)
    isolate_environment(tmp_path)
    assert REAL.keys() & os.environ.keys() == {"WEB_WORKERS", "PORT", "UPLOAD_MAX_MB"}
