"""The program `worker`: a parent process that takes ids from the broker, and JOB_CHILDREN children
that do the jobs. Only the children have the application, so that they share no connection.

On TERM no further job is begun, and the running ones are given back at their next step.
"""

import ctypes
import logging
import mmap
import signal
import sys
from typing import Any

from celery import Celery, signals

from app.config import SettingError, Settings
from app.jobs.worker.broker import TASK, make_celery
from app.logs.process import configure

PR_SET_PDEATHSIG = 1

# Shared with the children, which are forked: one byte that says that the program is to stop.
stopping = mmap.mmap(-1, 1)


class Child:
    """What a child has: the application, and the thread of its beats."""

    def __init__(self) -> None:
        self.app: Any = None
        self.beats: Any = None

    def start(self, **_signal: Any) -> None:
        from dataclasses import replace

        from app import create_app
        from app.jobs.worker.beats import Beats

        settings = Settings.load()
        start_log(settings)
        # Nobody waits for a page: rather wait for Redis than begin the job again.
        own = replace(settings, redis_timeout_ms=max(settings.redis_timeout_ms, 5000))
        self.app = create_app(own, commands=False, web=False)
        self.beats = Beats(self.app)
        self.beats.start()

    def stop(self, **_signal: Any) -> None:
        if self.beats:
            self.beats.stop()

    def run(self, job_id: str) -> None:
        from app.jobs.worker.perform import run_job

        with self.app.app_context():
            run_job(int(job_id), self.beats, is_stopping)


def is_stopping() -> bool:
    return bool(stopping[0])


def stop(**_signal: Any) -> None:
    stopping[0] = 1


def make_worker(settings: Settings) -> Celery:
    """The application with its one task. The receivers are kept alive by the task."""
    celery, child = make_celery(settings), Child()
    celery.task(name=TASK)(child.run)
    signals.worker_process_init.connect(child.start, weak=False)
    signals.worker_process_shutdown.connect(child.stop, weak=False)
    signals.worker_shutting_down.connect(stop, weak=False)
    # Celery would replace our handlers.
    signals.setup_logging.connect(lambda **_signal: start_log(settings), weak=False)
    return celery


def start_log(settings: Settings) -> None:
    """Celery's own lines name its messages, ours the jobs."""
    configure(settings)
    logging.getLogger("celery").setLevel(logging.WARNING)


def end_with_parent() -> None:
    """Have Linux send TERM to this process when whatever started it is gone: another supervisor
    starts another worker."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def main() -> None:
    end_with_parent()
    try:
        settings = Settings.load()
    except SettingError as error:
        raise SystemExit(str(error)) from None
    worker = make_worker(settings).Worker(
        pool_cls="prefork",
        concurrency=settings.job_children,
        quiet=True,
        without_gossip=True,
        without_mingle=True,
    )
    worker.start()
    sys.exit(worker.exitcode)


if __name__ == "__main__":
    main()
