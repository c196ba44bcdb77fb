"""The JSON addresses and the page of π and Fibonacci."""

import hashlib
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from flask import Blueprint, Response, render_template, request, session
from flask_babel import format_percent
from redis.exceptions import RedisError
from werkzeug.routing import BaseConverter

from app.current import actor
from app.database.failures import tolerated
from app.errors import DomainError
from app.numbers import counters, fib, pi, services
from app.redis.rate_limit import Limit
from app.text import NUMBER_LENGTH, read_number
from app.web.declarations import always_json, declared, without_redis, without_session
from app.web.hooks import identify

bp = Blueprint("numbers", __name__)

Get = Callable[[str, services.ClientLimits], services.NumberResult]


def percent(share: float) -> str:
    """A share of 0 to 1 with one decimal: 98.2%."""
    return str(format_percent(share, "#,##0.0%"))


class AnyText(BaseConverter):
    """Whatever follows, slashes and line breaks included: these addresses explain what is wrong
    with it, where other converters would cause a plain 404."""

    regex = r"[\s\S]*"
    part_isolating = False


@bp.get("/pi", endpoint="pi")
@bp.get("/pi/<any_text:n>", endpoint="pi", merge_slashes=False)
@without_session
@always_json
def get_pi(n: str | None = None) -> Response:
    """π from n terms; n in the path or as `?n=`."""
    return json_response(services.get_pi, request.args.get("n", "100") if n is None else n)


@bp.get("/fib", endpoint="fib")
@bp.get("/fib/<any_text:n>", endpoint="fib", merge_slashes=False)
@without_session
@always_json
def get_fib(n: str = "") -> Response:
    """The n-th Fibonacci number."""
    return json_response(services.get_fib, n)


def client_limits() -> tuple[Limit, ...]:
    """The limits of the person who is signed in, otherwise of the address. The JSON views, which
    have no session, identify the person only here, before a computation."""
    if declared().without_session:
        with suppress(DomainError, RedisError), tolerated("the client was not identified"):
            identify()
    who = actor()
    if who.is_signed_in:
        return services.person_limits(who.person_id)
    return services.visitor_limits(request.remote_addr or "")


def json_response(get: Get, n: str) -> Response:
    """A result as JSON, written by hand because Python's encoder refuses numbers of more than
    4,300 digits. Only a cached result may be stored by browsers: the response to the request that
    computed it says "cached": false, which is not true the next time."""
    result = get(n, client_limits)
    cached = "true" if result.cached else "false"
    body = f'{{"cached": {cached}, "result": {result.text}}}'
    response = Response(body, mimetype="application/json")
    lifetime = "max-age=31536000, immutable" if result.cached else "no-cache"
    response.headers["Cache-Control"] = f"private, {lifetime}"
    digest = hashlib.sha256(result.text.encode()).hexdigest()[:32]
    response.set_etag(digest, weak=True)
    response.make_conditional(request)
    return response


@dataclass
class Panel:
    """One form of the page: what was typed as n, and the result or the error. `examples` are
    offered as links; the last one is filled in at first."""

    name: str
    limit: int
    examples: tuple[int, ...]
    get: Get
    max_length: int = NUMBER_LENGTH
    n: str = ""
    result: services.NumberResult | None = None
    milliseconds: float = 0
    error: DomainError | None = None

    @property
    def sent(self) -> bool:
        """True if the form was sent."""
        return bool(self.result or self.error)

    def fill(self) -> None:
        """Read what was typed; if the form was sent, compute."""
        self.n = request.args.get(self.name, str(self.examples[-1]))
        if self.name not in request.args:
            return
        number, start = read_number(self.n), time.perf_counter()
        try:
            self.result = self.get(self.n if number is None else str(number), client_limits)
        except DomainError as error:
            self.error = error
        self.milliseconds = round((time.perf_counter() - start) * 1000, 1)


@bp.get("/numbers")
@without_redis
def show_numbers() -> tuple[str, int, dict[str, str]]:
    """The page: `?pi=1000000&fib=93`. Without Redis it is shown as to a visitor."""
    panels = (
        Panel("pi", pi.LIMIT, (1000, 100_000, 1_000_000), services.get_pi),
        Panel("fib", fib.LIMIT, (300, 10_000, 93), services.get_fib),
    )
    for panel in panels:
        panel.fill()
    page = render_template(
        "numbers/show_numbers.html",
        panels=panels,
        count_correct=pi.count_correct,
        worker=os.getpid(),
        statistics=counters.read_statistics(),
        minutes=counters.WORKER_MINUTES,
        without_session=session.unavailable,  # type: ignore[attr-defined]
    )
    errors = [panel.error for panel in panels if panel.error]
    status = max((error.status for error in errors), default=200)
    return page, status, {name: text for error in errors for name, text in error.headers.items()}
