"""The settings in a backup."""

import pytest

from app.backups.archive.setting_values import public, setting_names, without_secrets


def test_settings_are_stored_without_secrets():
    text = without_secrets(
        {
            "SITE_NAME": "North",
            "SECRET_KEY": "k" * 64,
            "DATABASE_URL": "mysql://ada:pass@word/x@db.example/gazetteer?charset=utf8mb4",
            "REDIS_URL": "redis://:hidden@redis.example/0",
            "HOME": "/root",
            "PORT": "",
        }
    )
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert sorted(lines) == [
        "DATABASE_URL=mysql://ada@db.example/gazetteer?charset=utf8mb4",
        "REDIS_URL=redis://@redis.example/0",
        "SITE_NAME=North",
    ]


def test_no_setting_that_resembles_a_secret_is_stored():
    secret = "do-not-store-this"
    text = without_secrets(dict.fromkeys(setting_names(), f"x://ada:{secret}@host"))
    assert secret not in text
    assert len(setting_names()) > 25


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("redis://host/0?password=p&db=1", "redis://host/0?password=&db=1"),
        ("a\nSECURE=1", "a SECURE=1"),
        ("sqlite:////srv/a@b.sqlite", "sqlite:////srv/a@b.sqlite"),
    ],
)
def test_a_value_is_one_line_without_a_password(value, shown):
    assert public(value) == shown
