"""The JSON addresses and the page of π and Fibonacci."""

import hashlib
import os
from contextlib import suppress

from flask import Blueprint, Response, render_template, request, session, url_for
from redis.exceptions import RedisError
from werkzeug.routing import BaseConverter

from app.current import actor
from app.database.failures import tolerated
from app.errors import DomainError
from app.numbers import chart, counters, panels, pi, services
from app.redis.rate_limit import Limit
from app.web.declarations import always_json, attachment, declared, without_redis, without_session
from app.web.hooks import identify

bp = Blueprint("numbers", __name__)


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
    """π from the terms below n; n in the path or as `?n=`."""
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


def json_response(get: services.GetNumber, n: str) -> Response:
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


@bp.get("/numbers/<any(pi, fib):kind>/<any_text:n>.txt")
@attachment(lambda kind, n: url_for("numbers.show_numbers", **{kind: n}))
@without_redis
def download_number(kind: str, n: str) -> Response:
    """A result as a text file."""
    result = panels.KINDS[kind].get(n, client_limits)
    response = Response(f"{result.text}\n", mimetype="text/plain")
    response.headers["Content-Disposition"] = f'attachment; filename="{kind}-{result.n}.txt"'
    return response


@bp.get("/numbers")
@without_redis
def show_numbers() -> tuple[str, int, dict[str, str]]:
    """The page: `?pi=1000000&fib=93`. Without Redis it is shown as to a visitor."""
    shown = [panels.Panel(kind) for kind in panels.KINDS.values()]
    for panel in shown:
        panel.fill(client_limits)
    statistics = counters.read_statistics()
    page = render_template(
        "numbers/show_numbers.html",
        panels=shown,
        count_correct=pi.count_correct,
        worker=str(os.getpid()),
        statistics=statistics,
        chart=statistics and chart.draw_hits(statistics.hours),
        minutes=counters.WORKER_MINUTES,
        names_hosts=actor().is_signed_in,
        without_session=session.unavailable,  # type: ignore[attr-defined]
    )
    errors = [panel.error for panel in shown if panel.error]
    status = max((error.status for error in errors), default=200)
    return page, status, {name: text for error in errors for name, text in error.headers.items()}
