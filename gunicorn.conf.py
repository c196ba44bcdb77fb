"""The configuration of the web processes. Read again on HUP, together with the settings."""

# Patch sockets and locks before anything else imports them.
from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import runpy  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

# Run the settings module instead of importing it: workers inherit what the master process has
# imported, and would use the old code after HUP.
settings_file = runpy.run_path(str(Path(__file__).parent / "app" / "config.py"))
try:
    settings = settings_file["Settings"].load()
except settings_file["SettingError"] as error:
    sys.exit(f"Gazetteer cannot start. {error}")

# IPv6 addresses contain colons and need brackets.
host = f"[{settings.host}]" if ":" in settings.host else settings.host
bind = f"{host}:{settings.port}"
workers = settings.web_workers
worker_class = "gevent"

# A connection costs a few kilobytes, so slow uploads and downloads leave room for others. They hold
# no database connection: each worker has 30 of those (app/config.py), and a request that waits for
# one for 2 s is answered with 503.
worker_connections = 1000

# Each worker imports the code, so that HUP loads a new release, and no two workers share a
# connection that was opened before the fork.
preload_app = False

# A worker that sends no heartbeat for 30 s is stuck in code that never yields, and is replaced.
timeout = 30
# On HUP and TERM a worker accepts no more connections and has 30 s to finish its requests; longer
# downloads are aborted. supervisor.conf waits a little longer than this.
graceful_timeout = 30
# Longer than nginx's keepalive_timeout to us (2 s): the client must be the one that closes an idle
# connection, or a POST may be sent into a connection that we are closing.
keepalive = 5

# Workers are not restarted after a number of requests: that would abort long uploads, and their
# memory does not grow.
max_requests = 0

# Workers touch this file each second as a heartbeat; in memory, to avoid waiting for a disk.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108

# The maximum that gunicorn allows. A URL with two names of 255 Chinese characters has 4,600 bytes.
limit_request_line = 8190

# Only the setting TRUSTED_PROXIES decides which proxy headers count. gunicorn itself ignores all
# headers about scheme, address and path.
forwarded_allow_ips = ""
secure_scheme_headers: dict[str, str] = {}
forwarder_headers = ""

# The application logs the requests; gunicorn only logs events of its processes.
accesslog = None
errorlog = "-"

# supervisorctl and signals are used instead.
control_socket_disable = True


pid_file = settings.instance / "gunicorn.pid"


def when_ready(server: Any) -> None:
    """Write the master's process id for `kill -HUP`. gunicorn's own pid file is not used: after a
    power cut it prevents the next start if another process has that id. A release that is checked
    on another socket (`flask check-release`) does not write it."""
    if server.cfg.bind != [bind]:
        return
    pid_file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    pid_file.write_text(f"{server.pid}\n")


def on_exit(server: Any) -> None:
    """Remove our pid file, but not that of another process."""
    if pid_file.exists() and pid_file.read_text() == f"{server.pid}\n":
        pid_file.unlink()
