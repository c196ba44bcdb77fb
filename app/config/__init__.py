"""Settings from the environment, typed and checked.

Every process reads them when it starts, from the environment and then from `.env` in the project
folder (or the file that ENV_FILE names), so that a reload picks up changes to the file. An invalid
setting raises `SettingError`, whose message says what to set. `.env.example` lists every setting
with its default; a test compares the two.
"""

from app.config.environment import ROOT, SettingError, env_file, environment
from app.config.settings import LANGUAGES, PASSWORD_METHOD, Settings
from app.config.sockets import redis_socket, short_socket

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
