"""Reading pages as browsers parse them: elements by CSS selectors, text without extra spaces."""

from typing import Any

from selectolax.lexbor import LexborHTMLParser, LexborNode


class Tag:
    """An element of a page."""

    def __init__(self, node: LexborNode) -> None:
        self.node = node

    @property
    def attrs(self) -> dict[str, str]:
        """The attributes; one without a value is empty."""
        return {name: value or "" for name, value in self.node.attributes.items()}

    def __getitem__(self, name: str) -> str:
        """The value of an attribute; KeyError if there is none."""
        return self.node.attributes[name] or ""

    def get(self, name: str, default: str | None = None) -> str | None:
        """The value of an attribute."""
        return self.attrs.get(name, default)

    def has_attr(self, name: str) -> bool:
        """True if it has this attribute."""
        return name in self.node.attributes

    @property
    def name(self) -> str:
        """The name of the element, such as `td`."""
        return str(self.node.tag)

    @property
    def parent(self) -> "Tag":
        """The element around it; fails for that of the whole page."""
        assert self.node.parent, "nothing is around the page"
        return Tag(self.node.parent)

    def select(self, selector: str) -> list["Tag"]:
        """The elements within it that match, in document order."""
        return [Tag(node) for node in self.node.css(selector) if node != self.node]

    def select_one(self, selector: str) -> "Tag | None":
        """The first element within it that matches."""
        return next(iter(self.select(selector)), None)

    @property
    def text(self) -> str:
        """The text as it is in the page, with its spaces."""
        return self.node.text()

    def remove(self) -> None:
        """Take it out of the page."""
        self.node.decompose()


class Page:
    """The HTML of a response (of the test client or of requests) or of a string."""

    def __init__(self, response: Any) -> None:
        html = response if isinstance(response, str) else response.text
        self.parsed = LexborHTMLParser(html)

    def __str__(self) -> str:
        return str(self.parsed.html)

    def all(self, selector: str) -> list[Tag]:
        """The elements that match, in document order."""
        return [Tag(node) for node in self.parsed.css(selector)]

    def one(self, selector: str) -> Tag:
        """The only element that matches; fails unless there is exactly one."""
        found = self.all(selector)
        assert len(found) == 1, f"{len(found)} elements match {selector}"
        return found[0]

    def has(self, selector: str) -> bool:
        """True if an element matches."""
        return self.parsed.css_first(selector) is not None

    def texts(self, selector: str) -> list[str]:
        """The text of each element that matches."""
        return [text_of(tag) for tag in self.all(selector)]

    def text(self, selector: str = "body") -> str:
        """The text of the only element that matches."""
        return text_of(self.one(selector))

    def links(self, selector: str) -> list[str]:
        """The URL of each link that matches."""
        return [tag["href"] for tag in self.all(selector)]


def text_of(tag: Tag) -> str:
    """The text of an element, with single spaces."""
    return " ".join(tag.node.text(separator=" ").split())
