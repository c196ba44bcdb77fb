"""Settings: defaults, invalid values, and the list in .env.example."""

import dataclasses
import re
import stat
import subprocess
import sys

import pytest

from app import create_app
from app.config import ROOT, SettingError, Settings, environment

KEY = "k" * 64


@pytest.mark.parametrize(
    "setting",
    [
        {"PORT": "0"}, {"PORT": "65536"}, {"PORT": "８０００"}, {"PORT": "80 80"}, {"PORT": "-1"},
        {"WEB_WORKERS": "many"}, {"WEB_WORKERS": "0"}, {"WEB_WORKERS": "1_0"},
        {"SECURE": "yes"}, {"PUBLIC_READ": "true"}, {"NGINX_SENDS_FILES": "2"},
        {"TRUSTED_PROXIES": "9"}, {"UPLOAD_MAX_MB": "0"}, {"UPLOAD_MAX_MB": "1.5"},
        {"UPLOAD_EXTENSIONS": "pdf,../x"}, {"UPLOAD_EXTENSIONS": "pdf png"},
        {"SESSION_IDLE_HOURS": "0"}, {"SESSION_ABSOLUTE_DAYS": "1000"},
        {"SITE_NAME": "x" * 41}, {"SITE_NAME": "two\nlines"}, {"SITE_NAME": "a\u202eb"},
        {"DEFAULT_LANGUAGE": "tlh"}, {"LOG_FORMAT": "xml"}, {"LOG_LEVEL": "LOUD"},
        {"TIME_ZONE": "Mars/Olympus"}, {"TIME_ZONE": "../etc/passwd"}, {"TIME_ZONE": "/etc/passwd"},
        {"SECRET_KEY": "short"}, {"DELIVERY_TARGETS": "ftp://example.org"},
        {"REDIS_URL": "localhost:6379"}, {"REDIS_URL": "http://localhost"},
        {"DATABASE_URL": "nonsense"}, {"DATABASE_URL": "postgresql://h/d"},
        {"DATABASE_URL": "mysql://user:geheim@host"}, {"DATABASE_URL": "mysql://host/"},
        {"DATABASE_URL": "mysql://user:geheim@host:port/name"},
        {"DATABASE_URL": "sqlite://"}, {"DATABASE_URL": "sqlite:///:memory:"},
    ],
    ids=lambda setting: "=".join(*setting.items()),
)  # fmt: skip
def test_invalid_setting_is_reported_in_one_sentence(setting, tmp_path):
    with pytest.raises(SettingError) as refusal:
        Settings.load({"INSTANCE": str(tmp_path), "SECRET_KEY": KEY, **setting})
    sentence = str(refusal.value)
    assert next(iter(setting)) in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")
    assert "geheim" not in sentence


def test_process_exits_with_the_message(tmp_path):
    env = {"PATH": "", "INSTANCE": str(tmp_path), "PORT": "no", "ENV_FILE": ""}
    result = subprocess.run(
        [sys.executable, "-c", "import app.wsgi"], cwd=ROOT, env=env, capture_output=True, text=True
    )
    assert result.returncode != 0
    assert "PORT must be a whole number from 1 to 65535, not 'no'." in result.stderr


@pytest.mark.parametrize("name", ["DATABASE_URL", "REDIS_URL"])
def test_server_must_be_given_a_key(name, tmp_path):
    url = {"DATABASE_URL": "mysql://host/name", "REDIS_URL": "redis://host"}[name]
    with pytest.raises(SettingError, match="SECRET_KEY must be set"):
        Settings.load({"INSTANCE": str(tmp_path), name: url})


def test_embedded_mode_makes_one_key_readable_to_its_owner_alone(tmp_path):
    env = {"INSTANCE": str(tmp_path / "deep" / "instance")}
    first, second = Settings.load(env), Settings.load(env)
    app = create_app(first)  # as for any command
    assert not first.instance.exists()
    assert app.secret_key == first.secret_key
    assert first.secret_key == second.secret_key == Settings.load(env).secret_key
    assert len(first.secret_key) == 64
    path = first.instance / "secret_key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    # Nor can others read the database and the files beside it, whatever the umask.
    assert stat.S_IMODE(first.instance.stat().st_mode) == 0o700
    assert [found.name for found in first.instance.iterdir()] == ["secret_key"]
    path.write_text("")
    with pytest.raises(SettingError, match="is damaged"):
        Settings.load(env)


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("mysql://u:p%40@h:3307/d", "mysql+pymysql://u:p%40@h:3307/d?charset=utf8mb4"),
        ("mysql+pymysql://u@h/d", "mysql+pymysql://u@h/d?charset=utf8mb4"),
        ("mariadb://u@h/d?charset=latin1", "mysql+pymysql://u@h/d?charset=utf8mb4"),
        ("sqlite:////srv/x.sqlite", "sqlite:////srv/x.sqlite"),
    ],
)
def test_database_address_is_read_as_the_driver_needs_it(given, meant, tmp_path):
    env = {"INSTANCE": str(tmp_path), "SECRET_KEY": KEY, "DATABASE_URL": given}
    assert Settings.load(env).database_url == meant


def test_values_of_statements_stay_out_of_tracebacks(app):
    assert app.config["SQLALCHEMY_ENGINE_OPTIONS"]["hide_parameters"] is True


def test_environment_wins_over_the_file(tmp_path, monkeypatch):
    file = tmp_path / "settings"
    file.write_text("PORT=9001\nHOST=127.0.0.9\nEMPTY\n# SECURE=1\n")
    monkeypatch.setenv("ENV_FILE", str(file))
    monkeypatch.setenv("PORT", "9002")
    found = environment()
    assert (found["PORT"], found["HOST"]) == ("9002", "127.0.0.9")
    assert "EMPTY" not in found
    monkeypatch.setenv("ENV_FILE", "/dev/null")
    assert environment()["PORT"] == "9002"
    monkeypatch.setenv("ENV_FILE", str(file) + "-absent")
    with pytest.raises(SettingError, match="ENV_FILE names"):
        environment()


def test_factory_opens_and_makes_nothing(tmp_path):
    env = {
        "INSTANCE": str(tmp_path / "instance"),
        "SECRET_KEY": KEY,
        "DATABASE_URL": "mysql://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
    }
    create_app(Settings.load(env))
    assert list(tmp_path.iterdir()) == []


class RecordingDict(dict[str, str]):
    """Records every key that is read."""

    def __init__(self, values):
        super().__init__(values)
        self.names = set()

    def get(self, name, default=None):
        self.names.add(name)
        return super().get(name, default)


def example_file():
    """The defaults in .env.example by name."""
    text = (ROOT / ".env.example").read_text()
    return dict(re.findall(r"^#([A-Z_]+)=(.*)$", text, re.MULTILINE))


def test_example_lists_every_setting_and_nothing_else(tmp_path):
    environ = RecordingDict({"INSTANCE": str(tmp_path)})
    Settings.load(environ)
    assert environ.names == set(example_file())
    lines = (ROOT / ".env.example").read_text().splitlines()
    for number, line in enumerate(lines):
        if re.match("#[A-Z_]+=", line):
            assert re.match("# |#[A-Z_]+=", lines[number - 1]), f"{line} lacks its meaning"


def test_example_shows_the_defaults(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {**example_file(), "SECRET_KEY": KEY}
    shown = Settings.load(given)
    default = Settings.load({"SECRET_KEY": KEY, "INSTANCE": "instance"})
    assert dataclasses.asdict(shown) == dataclasses.asdict(default)
    assert default.instance == tmp_path / "instance"
    assert Settings.load({"SECRET_KEY": KEY}).instance == ROOT / given["INSTANCE"]
