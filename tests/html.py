"""Reading pages: elements by CSS selectors, text without tags and extra spaces."""

from typing import Any

from bs4 import BeautifulSoup, Tag


class Page:
    """The HTML of a response (of the test client or of requests) or of a string."""

    def __init__(self, response: Any) -> None:
        html = response if isinstance(response, str) else response.text
        self.soup = BeautifulSoup(html, "html.parser")

    def all(self, selector: str) -> list[Tag]:
        """The elements that match, in document order."""
        return list(self.soup.select(selector))

    def one(self, selector: str) -> Tag:
        """The only element that matches; fails unless there is exactly one."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} elements match {selector}"
        return found[0]

    def has(self, selector: str) -> bool:
        """True if an element matches."""
        return self.soup.select_one(selector) is not None

    def texts(self, selector: str) -> list[str]:
        """The text of each element that matches."""
        return [text_of(tag) for tag in self.all(selector)]

    def text(self, selector: str = "body") -> str:
        """The text of the only element that matches."""
        return text_of(self.one(selector))

    def links(self, selector: str) -> list[str]:
        """The URL of each link that matches."""
        return [str(tag["href"]) for tag in self.all(selector)]


def text_of(tag: Tag) -> str:
    """The text of an element, with single spaces."""
    return " ".join(tag.get_text(" ").split())
