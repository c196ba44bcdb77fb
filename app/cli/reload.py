"""`flask reload`: use this code and these settings in the running web processes, the clock and the
worker.

They are checked first, beside the running ones. gunicorn then replaces its workers one after
another and logs how that ended.
"""

import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from xmlrpc.client import Fault

import click
from flask import current_app

from app.cli import supervisor
from app.cli.check_release import check_release
from app.cli.processes import CannotStart
from app.config import Settings

# Of the last lines that gunicorn.conf.py logs about a reload; the process is the master.
DONE = "All workers were replaced"
LINE = r"^\[[^]]+\] \[{pid}\] \[\w+\] ((?:All workers|Reload stopped|Not reloaded).*)$"
# Old workers finish their requests before the reload is done; new ones load the code.
RESTARTED = ("clock", "worker")
SECONDS, SECONDS_FOR_EACH_WORKER = 60, 30


@click.command("reload")
def reload_command() -> None:
    """Check this release and its settings, then have the running web processes use them."""
    settings: Settings = current_app.config["SETTINGS"]
    master = running_master(settings)
    check_release(settings)
    log = settings.instance / "log" / "web.log"  # see supervisor.conf
    start = log.stat().st_size if log.exists() else None
    try:
        with supervisor.methods(settings) as running:
            running.signalProcess("web", "HUP")
    except supervisor.AWAY as error:
        raise CannotStart(f"supervisor does not send the signal: {error}.") from None
    click.echo("This release starts and is ready. The workers are being replaced ...")
    if start is None:
        click.echo(f"The result is unknown, because {log} does not exist.")
        return
    if (result := wait_for_result(settings, log, start, master)) != DONE:
        raise CannotStart(f"{result} See {log}.")
    click.echo("All web processes use it now.")
    for name in RESTARTED:
        restart_program(settings, name)
    report_other_programs(settings)


def running_master(settings: Settings) -> int:
    """The process id of gunicorn's master process."""
    try:
        with supervisor.methods(settings) as running:
            web: dict[str, Any] = running.getProcessInfo("web")
    except supervisor.AWAY:
        raise CannotStart(f"Gazetteer is not running in {settings.instance}.") from None
    if not web["pid"]:
        raise CannotStart(
            f"The program web is {web['statename']}. Run flask check-release, then supervisorctl "
            "start web."
        )
    return int(web["pid"])


def restart_program(settings: Settings, name: str) -> None:
    """Have a program use this code too, and start it if it has ended. supervisor stops it in the
    meantime: a worker may take half a minute to give its jobs back."""
    try:
        with supervisor.methods(settings) as running:
            add_program(running, name)
            with suppress(Fault):  # it is not running
                running.stopProcess(name)
            running.startProcess(name)
    except supervisor.AWAY as error:
        click.echo(f"The program {name} was not started: {error}.", err=True)


def add_program(running: Any, name: str) -> None:
    """Add a program of this release to a supervisor that was started by an earlier one."""
    if name in running.reloadConfig()[0][0]:
        running.addProcessGroup(name)


def report_other_programs(settings: Settings) -> None:
    """Say if supervisor.conf has changed, which HUP does not apply."""
    try:
        with supervisor.methods(settings) as running:
            changes: list[list[str]] = running.reloadConfig()[0]
    except supervisor.AWAY as error:
        click.echo(f"supervisor cannot read its supervisor.conf: {error}", err=True)
        return
    if any(changes):
        names = ", ".join(sorted(name for names in changes for name in names))
        click.echo(f"Run supervisorctl update: supervisor.conf has changed for {names}.")


def wait_for_result(settings: Settings, log: Path, start: int, master: int) -> str:
    """The sentence that ends the reload, or one that says that there is none yet."""
    line = re.compile(LINE.format(pid=master), re.MULTILINE)
    deadline = time.monotonic() + SECONDS + SECONDS_FOR_EACH_WORKER * settings.web_workers
    while time.monotonic() < deadline:
        if running_master(settings) != master:
            return "gunicorn was restarted."
        if found := line.search(read_from(log, start)):
            return found[1]
        time.sleep(0.2)
    return "The workers are still being replaced."


def read_from(log: Path, start: int) -> str:
    """What was written to a log since it had this size; all of it if it was rotated since."""
    with log.open("rb") as file:
        file.seek(start if log.stat().st_size >= start else 0)
        return file.read().decode(errors="replace")
