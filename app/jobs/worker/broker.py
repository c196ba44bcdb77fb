"""The broker: a list of ids in our Redis, which Celery passes to the processes of the workers.

Only the clock and the program `worker` import this: Celery costs a process 25 MB.
"""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from celery import Celery
from celery.exceptions import OperationalError
from redis import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from app.config import Settings
from app.redis.client import PREFIX

KEYS = f"{PREFIX}celery:"  # begins all its keys
QUEUE = TASK = "jobs"
# A message that was not answered for so long is sent again, which does nothing: the row decides.
VISIBILITY_SECONDS = 12 * 3600
CHILD_SECONDS = 60.0
SEND_SECONDS = 1.0  # how long the clock waits for Redis


def broker_url(redis_url: str) -> str:
    """The address of our Redis in the words of Celery, which knows no `?db=`, has another scheme
    for a unix socket, and uses TLS only if it is told what to check."""
    parts = urlsplit(redis_url)
    query = dict(parse_qsl(parts.query))
    database = query.pop("db", None)
    if parts.scheme == "unix":
        query |= {"virtual_host": database} if database else {}
        return f"redis+socket://{parts.path}?{urlencode(query)}".rstrip("?")
    if parts.scheme == "rediss":
        query.setdefault("ssl_cert_reqs", "required")
    path = parts.path if database is None else f"/{database}"
    return urlunsplit(parts._replace(path=path, query=urlencode(query)))


def make_celery(settings: Settings, **options: Any) -> Celery:
    """The Celery application; `options` are those of the transport."""
    celery = Celery("gazetteer", broker=broker_url(settings.redis_url), set_as_current=False)
    celery.conf.update(
        accept_content=["json"],
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={
            "global_keyprefix": KEYS,
            "visibility_timeout": VISIBILITY_SECONDS,
            **options,
        },
        task_acks_late=True,
        task_default_queue=QUEUE,
        task_ignore_result=True,
        task_reject_on_worker_lost=True,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        worker_enable_remote_control=False,
        worker_hijack_root_logger=False,
        worker_prefetch_multiplier=1,
        # A child loads the application before it says that it is there. By default it is killed
        # after 4 seconds, which a busy machine can take again and again.
        worker_proc_alive_timeout=CHILD_SECONDS,
        worker_send_task_events=False,
    )
    return celery


class Sender:
    """Sends ids; one per process."""

    def __init__(self, settings: Settings) -> None:
        times = {"socket_timeout": SEND_SECONDS, "socket_connect_timeout": SEND_SECONDS}
        self.celery = make_celery(settings, **times)

    def send(self, job_id: int) -> None:
        """Send the id of a job, without trying again."""
        try:
            self.celery.send_task(TASK, [str(job_id)], retry=False, ignore_result=True)
        except OperationalError as error:
            raise RedisConnectionError(str(error)) from error


def count_waiting(client: Redis) -> int:
    """How many messages wait for a worker. Those that workers have are not among them: each is of a
    job that is being done, or left from a worker that was killed."""
    return int(client.llen(f"{KEYS}{QUEUE}"))
