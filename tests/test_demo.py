"""`make demo` beside a real installation."""

import os

from app.cli.demo import leave_real_settings
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


def test_nothing_of_the_real_settings_file_is_left(tmp_path, monkeypatch):
    """The flask command has put that file into the environment before the demo begins."""
    file = tmp_path / "real.env"
    file.write_text("".join(f"{name}={value}\n" for name, value in REAL.items()))
    for name, value in {**REAL, "ENV_FILE": str(file), "INSTANCE": "/srv/real"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PORT", "8001")  # make demo PORT=8001
    leave_real_settings(tmp_path / "demo")
    assert REAL.keys() & os.environ.keys() == {"PORT"}
    chosen = Settings.load()
    assert (chosen.port, chosen.web_workers, chosen.instance) == (8001, 2, tmp_path / "demo")
    assert (chosen.secure, chosen.trusted_proxies, chosen.public_read) == (False, 0, False)
    assert chosen.private_redis


def test_nor_what_was_exported_for_it(tmp_path, monkeypatch):
    for name, value in {**REAL, "ENV_FILE": os.devnull, "INSTANCE": "/srv/real"}.items():
        monkeypatch.setenv(name, value)
    leave_real_settings(tmp_path)
    assert REAL.keys() & os.environ.keys() == {"WEB_WORKERS", "PORT", "UPLOAD_MAX_MB"}
