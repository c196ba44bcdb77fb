"""The settings as a part of a backup, without secrets."""

import re
from collections.abc import Mapping

from app.config import ROOT

# Nothing that resembles a secret, also of settings to come.
SECRET = re.compile(r"KEY|SECRET|PASSWORD|TOKEN|CREDENTIAL")
# In a URL: the password of an account, which may contain an @, and one among the options.
PASSWORD = re.compile(r"(?<=://)([^:@/]*):.*@")
OPTION = re.compile(r"(?<=[?&])(passw\w*)=[^&]*", re.IGNORECASE)
NAMES = re.compile(r"^#?([A-Z][A-Z0-9_]*)=", re.MULTILINE)
HEAD = """\
# The settings of this backup. Not in it: SECRET_KEY, passwords in addresses, other secrets, and the
# certificate.
"""


def setting_names() -> list[str]:
    """The names of all settings."""
    return NAMES.findall((ROOT / ".env.example").read_text())


def without_secrets(values: Mapping[str, str]) -> str:
    """The settings that are set, as lines of an env file."""
    named = ((name, values[name]) for name in setting_names() if values.get(name))
    lines = [f"{name}={public(value)}" for name, value in named if not SECRET.search(name)]
    return HEAD + "".join(f"{line}\n" for line in lines)


def public(value: str) -> str:
    """A value on one line, without the password of a URL."""
    return OPTION.sub(r"\1=", PASSWORD.sub(r"\1@", value.replace("\n", " ")))
