"""A running site as its people meet it: signing in, sending forms."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.factories import HTML, PASSWORD
from tests.html import Page

CLAIM = {"name": "first", "password": PASSWORD, "again": PASSWORD}


@dataclass
class Site:
    """Where it runs, and how to be somebody there."""

    base: str
    clients: dict[str, requests.Session] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)  # addresses of what was put into it

    def sign_in(self, name: str, password: str = PASSWORD) -> requests.Session:
        """A client signed in as that person, who mostly is called after their role."""
        self.clients[name] = requests.Session()
        self.clients[name].headers.update(HTML)
        self.send(name, "/login", {"name": name, "password": password})
        return self.clients[name]

    def claim(self, setup_path: str, **fields: str) -> requests.Session:
        """Follow the set-up link, as the first administrator does."""
        self.clients["first"] = requests.Session()
        self.clients["first"].headers.update(HTML)
        self.send("first", setup_path, {**CLAIM, **fields})
        return self.clients["first"]

    def cookie(self, name: str) -> str:
        """The session of somebody who is signed in."""
        return str(self.clients[name].cookies["gz"])

    def send(
        self,
        name: str,
        path: str,
        fields: dict[str, object] | None = None,
        page: str = "",
        **kwargs: Any,
    ) -> requests.Response:
        """Send a form as somebody, with what is hidden in it on `page` (the same address by
        default)."""
        client = self.clients[name]
        text = client.get(self.base + (page or path), timeout=60).text
        inputs = Page(text).all("input[type=hidden][name]")
        hidden = {str(tag["name"]): str(tag.get("value", "")) for tag in inputs}
        answer = client.post(
            self.base + path, data={**hidden, **(fields or {})}, timeout=60, **kwargs
        )
        answer.raise_for_status()
        return answer


@contextmanager
def asked_meanwhile(
    clients: int, *asks: Callable[[requests.Session], requests.Response]
) -> Iterator[Counter[int | str]]:
    """Have so many clients ask these things in turn, on and on, while the block runs. What they
    were answered is complete after it: how often which status, or which error."""
    answers: Counter[int | str] = Counter()
    over = threading.Event()

    def go_on_asking() -> None:
        with requests.Session() as client:
            while not over.is_set():
                for ask in asks:
                    try:
                        answers[ask(client).status_code] += 1
                    except requests.RequestException as error:
                        answers[repr(error)] += 1

    threads = [threading.Thread(target=go_on_asking) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        over.set()
        for thread in threads:
            thread.join()
