"""supervisorctl, as the operator uses it on running processes."""

import requests

from tests import servers
from tests.site import under_load


def workers(running):
    """The process ids of the workers."""
    pid = running.supervisorctl("pid", "web").strip()
    return servers.children(int(pid)) if pid.isdigit() else set()


def ready(running):
    """True if /readyz says so."""
    try:
        return requests.get(f"{running.base}/readyz", timeout=5).ok
    except requests.RequestException:
        return False


def test_status_shows_every_program(running):
    def states():
        return [line.split()[:2] for line in running.supervisorctl("status").splitlines()]

    # A program counts as running a few seconds after it was started (startsecs).
    expected = [["clock", "RUNNING"], ["redis", "RUNNING"], ["web", "RUNNING"]]
    servers.wait_until(lambda: states() == expected, "every program runs")
    # An operator's script may use this file for `kill`.
    pid = (running.folder / "gunicorn.pid").read_text().strip()
    assert running.supervisorctl("pid", "web").strip() == pid


def test_a_worker_is_added_and_removed(running):
    assert len(workers(running)) == 2
    running.supervisorctl("signal", "TTIN", "web")
    servers.wait_until(lambda: len(workers(running)) == 3, "there are three workers")
    running.supervisorctl("signal", "TTOU", "web")
    servers.wait_until(lambda: len(workers(running)) == 2, "there are two workers")


def test_hup_takes_new_settings_and_loses_no_request(running):
    asked = requests.get(f"{running.base}/cities", timeout=60).status_code
    before = workers(running)
    with under_load(
        4,
        lambda client: client.get(f"{running.base}/healthz", timeout=60),
        # A form without its token is answered with 400.
        lambda client: client.post(f"{running.base}/login", timeout=60),
    ) as statuses:
        (running.folder.parent / "env").write_text("PUBLIC_READ=1\nWEB_WORKERS=3\n")
        assert "signalled" in running.supervisorctl("signal", "HUP", "web")
        servers.wait_until(
            lambda: len(workers(running)) == 3 and not workers(running) & before, "all are new"
        )
        earlier = sum(statuses.values())
        servers.wait_until(lambda: sum(statuses.values()) > earlier + 20, "the new ones answer")
    assert asked == 401
    assert requests.get(f"{running.base}/cities", timeout=60).status_code == 200
    assert set(statuses) == {200, 400}
    assert sum(statuses.values()) > 50


def test_restart_stop_start_and_reload(running):
    before = workers(running)
    assert "web: started" in running.supervisorctl("restart", "all")
    servers.wait_until(lambda: ready(running), "pages answer after a restart")
    assert not workers(running) & before
    assert "web: stopped" in running.supervisorctl("stop", "all")
    assert not ready(running)
    assert "web: started" in running.supervisorctl("start", "all")
    servers.wait_until(lambda: ready(running), "pages answer after a start")
    before = workers(running)
    assert "Restarted supervisord" in running.supervisorctl("reload")
    servers.wait_until(lambda: ready(running) and not workers(running) & before, "reloaded")


def test_a_killed_master_is_replaced(running):
    before = workers(running)
    running.supervisorctl("signal", "KILL", "web")
    servers.wait_until(
        lambda: workers(running) and not workers(running) & before and ready(running),
        "pages answer again",
    )


def test_a_worker_stays_within_its_memory(running):
    for _ in range(50):
        requests.get(f"{running.base}/login", timeout=60)
    for pid in workers(running):
        with open(f"/proc/{pid}/status") as file:  # noqa: PTH123
            size = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        assert size < 110_000, f"{size} kB"
