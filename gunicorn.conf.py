"""How the web processes run. Read again on HUP, together with the settings."""

# Sockets and locks become gevent's before anything else has imported them.
from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import runpy  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

# Settings are read by running their file, not by importing `app`: what the master process has
# imported its workers inherit, and a HUP would go on with the old code.
settings_file = runpy.run_path(str(Path(__file__).parent / "app" / "config.py"))
try:
    settings = settings_file["Settings"].load()
except settings_file["SettingError"] as error:
    sys.exit(f"Gazetteer cannot start. {error}")

# An address of IPv6 has colons itself and stands in brackets.
host = f"[{settings.host}]" if ":" in settings.host else settings.host
bind = f"{host}:{settings.port}"
workers = settings.web_workers
worker_class = "gevent"

# A connection costs a worker a few kilobytes, so slow uploads and downloads do not crowd others
# out. They hold no database connection: 30 of those per worker (app/config.py) serve them all,
# and a request that waits 2 s for one is answered 503.
worker_connections = 1000

# The code is imported in each worker, so that HUP loads a new release, and so that no two workers
# share a connection that was opened before the fork.
preload_app = False

# A worker that does not report for 30 s is stuck in code that never yields, and is replaced.
timeout = 30
# On HUP and TERM a worker takes no more connections and has 30 s to finish those it has; then
# long downloads are cut. supervisor.conf waits a little longer than this.
graceful_timeout = 30
# Longer than nginx keeps an idle connection to us (2 s): the side that sends must be the one that
# closes, else a POST now and then meets a connection that is just going away.
keepalive = 5

# Workers are not recycled after a number of requests: that would cut long uploads, and measured
# over many requests they do not grow.
max_requests = 0

# Workers touch a file every second to say that they live. In memory that never waits for a disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# The longest line gunicorn knows: two names of 255 Chinese characters in one address are 4,600.
limit_request_line = 8190

# Who really asks is decided in one place, TRUSTED_PROXIES in the settings. gunicorn itself
# believes no header about scheme, address or path.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

# The application writes one line a request; gunicorn only says what happens to its processes.
accesslog = None
errorlog = "-"

# supervisorctl and signals do what this socket is for.
control_socket_disable = True


note = settings.instance / "gunicorn.pid"


def when_ready(server: Any) -> None:
    """Note the master's process id for `kill -HUP`. gunicorn's own pid file is not used: left
    behind by a power cut it refuses the next start when another process has that number. A release
    that is checked on another socket (`flask check-release`) leaves it alone."""
    if server.cfg.bind != [bind]:
        return
    note.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    note.write_text(f"{server.pid}\n")


def on_exit(server: Any) -> None:
    """Take the note away; that of another process stays."""
    if note.exists() and note.read_text() == f"{server.pid}\n":
        note.unlink()
