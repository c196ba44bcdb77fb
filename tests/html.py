"""Pages as people meet them: found by CSS selectors, read without tags and extra spaces."""

from typing import Any

from bs4 import BeautifulSoup, Tag


class Page:
    """The HTML of an answer (of the test client or of requests), or a text."""

    def __init__(self, answer: Any) -> None:
        self.soup = BeautifulSoup(answer if isinstance(answer, str) else answer.text, "html.parser")

    def all(self, selector: str) -> list[Tag]:
        """Every element that fits, in order."""
        return list(self.soup.select(selector))

    def one(self, selector: str) -> Tag:
        """The element that fits; fails unless there is exactly one."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} elements fit {selector}"
        return found[0]

    def has(self, selector: str) -> bool:
        """Whether something fits."""
        return self.soup.select_one(selector) is not None

    def texts(self, selector: str) -> list[str]:
        """What each element that fits says."""
        return [said(tag) for tag in self.all(selector)]

    def text(self, selector: str = "body") -> str:
        """What the one element says."""
        return said(self.one(selector))

    def links(self, selector: str) -> list[str]:
        """Where each link that fits leads to."""
        return [str(tag["href"]) for tag in self.all(selector)]


def said(tag: Tag) -> str:
    """The text of an element, with single spaces."""
    return " ".join(tag.get_text(" ").split())
