"""Where settings come from: the environment, and the env file."""

import os
from pathlib import Path

import click
from dotenv import dotenv_values

ROOT = Path(__file__).resolve().parent.parent.parent


class SettingError(click.ClickException, ValueError):
    """An invalid setting; the message says which one and what to set. A flask command exits with
    it and status 2."""

    exit_code = 2


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
