"""The broker: a list of ids in our Redis, which Celery passes to the processes of the workers.

Only the clock and the program `worker` import this: Celery costs a process 25 MB.
"""

from typing import Any

from celery import Celery
from redis import Redis

from app.config import Settings
from app.redis.client import PREFIX

KEYS = f"{PREFIX}celery:"  # begins all its keys
QUEUE = TASK = "jobs"
# A message that was not answered for so long is sent again, which does nothing: the row decides.
VISIBILITY_SECONDS = 12 * 3600
SEND_SECONDS = 1.0  # how long the clock waits for Redis


def broker_url(redis_url: str) -> str:
    """The address of our Redis in the words of Celery."""
    if not redis_url.startswith("unix://"):
        return redis_url.replace("?db=", "/", 1) if "?db=" in redis_url else redis_url
    path, _mark, query = redis_url.removeprefix("unix://").partition("?")
    return f"redis+socket://{path}?{query.replace('db=', 'virtual_host=', 1)}".rstrip("?")


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
        self.celery.send_task(TASK, [str(job_id)], retry=False, ignore_result=True)


def count_messages(client: Redis) -> int:
    """How many messages wait, or are with a worker."""
    return int(client.llen(f"{KEYS}{QUEUE}")) + int(client.hlen(f"{KEYS}unacked"))
