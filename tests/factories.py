"""People, pages and data for tests."""

import re
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

PASSWORD = "correct horse battery"
HTML = {"Accept": "text/html,application/xhtml+xml"}


class Browser:
    """A test client that behaves as a browser does: asks for HTML, keeps cookies, and sends forms
    with the token of the page they stand on."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        """Open a page."""
        kwargs.setdefault("headers", HTML)
        return self.client.get(path, **kwargs)

    def token(self, path: str) -> str:
        """The CSRF token on a page."""
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(path).text)
        assert found, f"no form on {path}"
        return found[1]

    def submit(self, path: str, data: Any = None, page: str | None = None, **kwargs: Any) -> Any:
        """Send a form to `path`, with the token found on `page` (the same address by default)."""
        kwargs.setdefault("headers", HTML)
        fields = {"csrf_token": self.token(page or path), **(data or {})}
        return self.client.post(path, data=fields, **kwargs)

    def sign_in(self, name: str, password: str = PASSWORD) -> TestResponse:
        """Sign in; fails the test when that did not work."""
        answer = self.submit("/login", {"name": name, "password": password})
        assert answer.status_code == 303, answer.text
        return answer  # type: ignore[no-any-return]
