"""The secret of this installation."""

import os
import secrets
import tempfile
from pathlib import Path

from app.settings.environment import SettingError

KEY_FILE = "secret_key"


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
