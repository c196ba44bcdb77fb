"""supervisorctl, as the operator uses it on running processes."""

import requests

from tests import servers
from tests.site import under_load


def workers(running):
    """The process ids of the workers."""
    try:
        return servers.children(int((running.folder / "gunicorn.pid").read_text()))
    except (OSError, ValueError):  # stopped, or starting
        return set()


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
    expected = [[name, "RUNNING"] for name in ("clock", "redis", "web", "worker")]
    servers.wait_until(lambda: states() == expected, "every program runs")
    # An operator's script may use this file for `kill`.
    pid = (running.folder / "gunicorn.pid").read_text().strip()
    assert running.supervisorctl("pid", "web").strip() == pid


def test_a_worker_is_added_and_removed(running):
    before = len(workers(running))
    running.supervisorctl("signal", "TTIN", "web")
    servers.wait_until(lambda: len(workers(running)) == before + 1, "there is one more")
    running.supervisorctl("signal", "TTOU", "web")
    servers.wait_until(lambda: len(workers(running)) == before, "it has gone")


def test_hup_takes_new_settings_and_loses_no_request(running):
    asked = requests.get(f"{running.base}/cities", timeout=60).status_code
    public = int(asked == 401)
    before = workers(running)
    with under_load(
        4,
        lambda client: client.get(f"{running.base}/healthz", timeout=60),
        # A form without its token is answered with 400.
        lambda client: client.post(f"{running.base}/login", timeout=60),
    ) as statuses:
        (running.folder.parent / "env").write_text(f"PUBLIC_READ={public}\nWEB_WORKERS=2\n")
        assert "signalled" in running.supervisorctl("signal", "HUP", "web")
        servers.wait_until(
            lambda: len(workers(running)) == 2 and not workers(running) & before, "all are new"
        )
        earlier = sum(statuses.values())
        servers.wait_until(lambda: sum(statuses.values()) > earlier + 20, "the new ones answer")
    again = requests.get(f"{running.base}/cities", timeout=60).status_code
    assert {asked, again} == {200, 401}
    assert set(statuses) == {200, 400}


def test_stop_start_and_reload(running):
    assert "web: stopped" in running.supervisorctl("stop", "all")
    assert not ready(running)
    assert workers(running) == set()
    assert "web: started" in running.supervisorctl("start", "all")
    servers.wait_until(lambda: ready(running), "pages answer after a start")
    before = workers(running)
    assert "Restarted supervisord" in running.supervisorctl("reload")
    servers.wait_until(
        lambda: ready(running) and not workers(running) & before, "pages answer after a reload"
    )


def test_a_killed_master_is_replaced(running):
    before = workers(running)
    running.supervisorctl("signal", "KILL", "web")
    servers.wait_until(
        lambda: len(workers(running) - before) == len(before) and ready(running),
        "pages answer again",
    )


def test_a_worker_stays_within_its_memory(running):
    for _ in range(50):
        requests.get(f"{running.base}/login", timeout=60)
    for pid in workers(running):
        with open(f"/proc/{pid}/status") as file:  # noqa: PTH123
            size = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
        assert size < 110_000, f"{size} kB"
