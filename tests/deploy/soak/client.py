"""A person's browser, whose every response is judged."""

import itertools
import re
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any

import requests

from tests.deploy.soak.ledger import Ledger, Outcome, Write
from tests.factories import HTML
from tests.html import Page

# Of these nothing was done: a conflict, too many requests, a full disk.
REFUSED = (409, 429, 507)
# After these it may have been done: a service that does not answer, or a broken connection (0).
UNKNOWN = (0, 502, 503, 504)


class Missed(Exception):
    """A fault explains that this was not acknowledged. `refused`: it was certainly not done."""

    def __init__(self, refused: bool = False) -> None:
        self.refused = refused


class SignedOut(Missed):
    """The session has ended."""

    def __init__(self) -> None:
        super().__init__(refused=True)


class Client:
    """Sends requests from an address of its own."""

    def __init__(self, base: str, ledger: Ledger, number: int, **headers: str) -> None:
        self.base, self.ledger = base, ledger
        self.session = requests.Session()
        self.session.headers.update({"X-Address": f"192.0.2.{number}", **(headers or HTML)})

    def ask(
        self, method: str, path: str, expected: Collection[int] = (200,), **kwargs: Any
    ) -> requests.Response:
        """A response with an expected status; Missed if a fault explains another one."""
        what = f"{method} {re.sub(r'[0-9]+', 'N', path.partition('?')[0])}"
        sent = time.monotonic()
        try:
            response = self.session.request(
                method, self.base + path, timeout=90, allow_redirects=False, **kwargs
            )
        except requests.RequestException:
            self.ledger.answered(what, 0, sent)
            raise Missed() from None
        self.ledger.answered(what, response.status_code, sent)
        if response.headers.get("Location", "").startswith("/login"):
            raise SignedOut()
        if response.status_code not in expected:
            self.judge(response)
        return response

    def judge(self, response: requests.Response) -> None:
        """Raise Missed, and note the response if no fault explains it."""
        if response.status_code not in (*REFUSED, *UNKNOWN):
            is_page = "html" in response.headers.get("Content-Type", "")
            text = " ".join(Page(response).texts("main, body > p")) if is_page else response.text
            request_id = response.headers.get("X-Request-ID")
            asked = f"{response.request.method} {response.request.path_url}"
            self.ledger.fault(
                f"{asked}: {response.status_code}, request {request_id}: {text[:300]}"
            )
        raise Missed(refused=response.status_code < 500 or response.status_code in REFUSED)

    def form(self, page: requests.Response, action: str, **fields: object) -> dict[str, Any]:
        """The arguments to send the form with this action that is on a page."""
        found = Page(page)
        forms = [
            form
            for form in found.all("form[action]")
            if str(form["action"]).partition("?")[0] == action
        ]
        path = str(forms[0]["action"]) if forms else action
        # A button may send another form to its own address.
        inputs = (forms[0] if forms else found.one("#message-actions")).select(
            "input[type=hidden][name]"
        )
        hidden = {str(tag["name"]): str(tag.get("value", "")) for tag in inputs}
        return {"method": "POST", "path": path, "data": {**hidden, **fields}}

    def write(
        self, writes: Sequence[Write], send: Callable[[], requests.Response], repeats: int = 0
    ) -> requests.Response:
        """Send writes of the ledger in one request, and again while the outcome is unknown."""
        outcome = Outcome.REFUSED
        try:
            for attempt in itertools.count():
                try:
                    response = send()
                except Missed as missed:
                    if not missed.refused:
                        outcome = Outcome.UNKNOWN
                    if missed.refused or attempt == repeats:
                        raise
                    time.sleep(0.5)
                else:
                    outcome = Outcome.DONE
                    return response
        finally:
            for write in writes:
                self.ledger.end(write, outcome)
        raise AssertionError
