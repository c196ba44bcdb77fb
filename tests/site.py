"""A client of a running site: signs in, sends forms, puts it under load."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from tests import servers
from tests.factories import HTML, PASSWORD
from tests.html import Page

# Between the requests of a client under load: what is loaded needs the processors too.
PAUSE_SECONDS = 0.05
CLAIM = {"name": "first", "password": PASSWORD, "again": PASSWORD}


@dataclass
class Site:
    """A running site at a URL, and a client for each person that is signed in."""

    base: str
    clients: dict[str, requests.Session] = field(default_factory=dict)
    found: dict[str, str] = field(default_factory=dict)  # URLs of what tests have added

    def sign_in(self, name: str, password: str = PASSWORD) -> requests.Session:
        """Sign in; most people are named after their role."""
        self.clients[name] = requests.Session()
        self.clients[name].headers.update(HTML)
        self.send(name, "/login", {"name": name, "password": password})
        return self.clients[name]

    def claim(self, setup_path: str, **fields: str) -> requests.Session:
        """Follow the set-up link and create the first administrator."""
        self.clients["first"] = requests.Session()
        self.clients["first"].headers.update(HTML)
        self.send("first", setup_path, {**CLAIM, **fields})
        return self.clients["first"]

    def cookie(self, name: str) -> str:
        """The session cookie of a person."""
        return str(self.clients[name].cookies["gz"])

    def send(
        self,
        name: str,
        path: str,
        fields: dict[str, object] | None = None,
        page: str = "",
        **kwargs: Any,
    ) -> requests.Response:
        """Send a form as a person, with the hidden fields of the form on `page` (by default the
        page at the same path)."""
        client = self.clients[name]
        text = client.get(self.base + (page or path), timeout=60).text
        inputs = Page(text).all("input[type=hidden][name]")
        hidden = {str(tag["name"]): str(tag.get("value", "")) for tag in inputs}
        response = client.post(
            self.base + path, data={**hidden, **(fields or {})}, timeout=60, **kwargs
        )
        response.raise_for_status()
        return response

    def import_file(self, name: str, content: bytes) -> str:
        """Send a file to import as the editor, and wait until it was read; returns the URL to which
        that leads."""
        url = self.send("editor", "/cities/import", files={"file": (name, content)}).url
        found: list[requests.Response] = []

        def is_read() -> bool:
            found.append(self.clients["editor"].get(url, timeout=60))
            return not Page(found[-1].text).has("#import[data-active]")

        servers.wait_until(is_read, "the file was read")
        return found[-1].url


@contextmanager
def under_load(
    clients: int, *asks: Callable[[requests.Session], requests.Response]
) -> Iterator[Counter[int | str]]:
    """Have clients repeat these requests while the block runs. Yields the number of responses by
    status, or by error, which is complete after the block."""
    statuses: Counter[int | str] = Counter()
    done = threading.Event()

    def repeat() -> None:
        with requests.Session() as client:
            while not done.wait(PAUSE_SECONDS):
                for ask in asks:
                    try:
                        statuses[ask(client).status_code] += 1
                    except requests.RequestException as error:
                        statuses[repr(error)] += 1

    threads = [threading.Thread(target=repeat) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        done.set()
        for thread in threads:
            thread.join()
