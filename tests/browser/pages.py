"""Every page that a person can meet: how it is called, who looks, and how one comes there."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

from playwright.sync_api import Page, Response

from tests.site import Site

numbers = count(1)  # what is made for a page is made anew for each of its pictures


@dataclass(frozen=True)
class Shown:
    """One page. Where an address alone does not lead to it, `act` begins there and does what
    leads on."""

    name: str
    role: str | None
    path: str
    status: int = 200
    act: Callable[[Site, Page], Response | None] | None = None
    focused: bool = False  # something on it has the focus from the start

    def open(self, site: Site, page: Page) -> int:
        """Show it in the browser's page; returns the status that it was answered with."""
        answer = page.goto(site.base + self.path.format(**site.found))
        if self.act:
            answer = self.act(site, page)
        assert answer is not None
        return answer.status


def submit(page: Page, button: str = "main form[method=post] button[type=submit]") -> Response:
    """Press the first such button; returns what the server answered."""
    with page.expect_navigation() as sent:
        page.locator(button).first.dispatch_event("click")
    return sent.value


def add_no_city(_site: Site, page: Page) -> Response | None:
    """A new city with everything wrong."""
    page.fill("#number", "12.5")
    return submit(page)


def add_same_city(_site: Site, page: Page) -> Response | None:
    """A city that is there already."""
    page.fill("#city", "深圳市")
    page.fill("#province", "广东")
    page.fill("#number", "5")
    return submit(page)


def add_city(_site: Site, page: Page) -> Response | None:
    """A city that is not there yet."""
    page.fill("#city", f"新城市 {next(numbers)}")
    page.fill("#province", "广东")
    page.fill("#number", "1200")
    return submit(page)


def save_outdated(site: Site, page: Page) -> Response | None:
    """Save what somebody else saved since the form was opened."""
    now = {name: page.input_value(f"#{name}") for name in ("city", "province")}
    site.send("admin", urlsplit(page.url).path, {**now, "number": next(numbers)})
    page.fill("#number", "30000")
    return submit(page)


def open_new_city(site: Site, page: Page) -> None:
    """Go to a city that was made just now."""
    fields = {"city": "三沙市", "province": "海南", "number": "5", "anyway": "1"}
    site.send("editor", "/cities/new", fields)
    page.goto(f"{site.base}/cities")
    page.goto(site.base + str(page.locator("td.main a").first.get_attribute("href")))


def save_removed(site: Site, page: Page) -> Response | None:
    """Save a city that somebody else removed since the form was opened."""
    open_new_city(site, page)
    site.send("admin", f"{urlsplit(page.url).path}/delete")
    return submit(page)


def remove_city(site: Site, page: Page) -> Response | None:
    """Remove a city."""
    open_new_city(site, page)
    page.goto(f"{page.url}/delete")
    return submit(page)


def choose(page: Page, name: str, content: str) -> Response:
    """Bring in a CSV."""
    page.set_input_files(
        "input[type=file]", {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    )
    return submit(page)


def import_no_csv(_site: Site, page: Page) -> Response | None:
    """A file without the columns that count."""
    return choose(page, "towns.csv", "name,people\n深圳市,5\n")


def import_city(_site: Site, page: Page) -> Response | None:
    """Apply an import."""
    choose(page, "town.csv", f"province,city,number\n海南,新城市 {next(numbers)},5\n")
    page.wait_for_url("**/cities/import/*")
    return submit(page, "main .btn-primary")


def upload(site: Site, page: Page) -> Response | None:
    """One file that is kept and one that is not, as without a script."""
    files = [
        ("file", ("field notes.txt", b"Harbour, 15 June")),
        ("file", ("setup.exe", b"MZ")),
    ]
    return page.goto(site.send("editor", "/upload", page="/files", files=files).url)


def remove_file(site: Site, page: Page) -> Response | None:
    """Remove one that was uploaded for this."""
    site.send("editor", "/upload", page="/files", files=[("file", ("old notes.txt", b"Old"))])
    page.reload()
    return submit(page, "button[formaction$='/remove']")


def make_token(_site: Site, page: Page) -> Response | None:
    """A token for a script."""
    page.fill("#label", f"nightly report {next(numbers)}")
    return submit(page)


def sign_in_wrongly(_site: Site, page: Page) -> Response | None:
    """A name that nobody has."""
    page.fill("#name", f"nobody {next(numbers)}")
    page.fill("#password", "not the password")
    return submit(page)


def repeat_wrongly(_site: Site, page: Page) -> Response | None:
    """A new password whose repetition differs."""
    page.fill("#current", "something")
    page.fill("#password", "a new password")
    page.fill("#again", "another password")
    return submit(page)


def give_first_password(_site: Site, page: Page) -> Response | None:
    """A first password, shown once."""
    return submit(page, "form[action$='/password'] button")


def add_taken_name(_site: Site, page: Page) -> Response | None:
    """A person of a name that somebody has."""
    page.fill("#name", "viewer")
    return submit(page)


def put_value(_site: Site, page: Page) -> Response | None:
    """A value in the session."""
    page.fill("#key", "colour")
    page.fill("#value", "青")
    return submit(page)


PAGES = [
    Shown("login", None, "/login", focused=True),
    Shown("login-refused", None, "/login", 422, sign_in_wrongly, focused=True),
    Shown("cities", "editor", "/cities"),
    Shown("cities-viewer", "viewer", "/cities?q=%E5%B7%9E&sort=users&order=desc"),
    Shown("cities-none", "editor", "/cities?q=nowhere"),
    Shown("cities-flawed", "editor", "/cities?flawed=1"),
    Shown("city-new", "editor", "/cities/new", focused=True),
    Shown("city-refused", "editor", "/cities/new", 422, add_no_city, focused=True),
    Shown("city-same", "editor", "/cities/new", 422, add_same_city, focused=True),
    Shown("city-added", "editor", "/cities/new", act=add_city),
    Shown("city-edit", "editor", "/cities/400"),
    Shown("city-outdated", "editor", "/cities/399", 409, save_outdated, focused=True),
    Shown("city-gone", "editor", "/cities", 404, save_removed, focused=True),
    Shown("city-flawed", "editor", "/cities/419"),
    Shown("city-facts", "viewer", "/cities/400"),
    Shown("city-delete", "editor", "/cities/400/delete"),
    Shown("city-removed", "editor", "/cities", act=remove_city),
    Shown("import", "editor", "/cities/import"),
    Shown("import-refused", "editor", "/cities/import", 422, import_no_csv, focused=True),
    Shown("import-preview", "editor", "{preview}"),
    Shown("import-new", "editor", "{long_preview}/new?page=2"),
    Shown("import-refused-lines", "editor", "{preview}/refused"),
    Shown("import-applied", "editor", "/cities/import", act=import_city),
    Shown("glance", "viewer", "/cities/glance"),
    Shown("files", "editor", "/files"),
    Shown("files-viewer", "viewer", "/files?q=pdf"),
    Shown("file", "editor", "/files/1/details"),
    Shown("file-removed", "editor", "/files", act=remove_file),
    Shown("files-removed", "editor", "/files?removed=1"),
    Shown("upload-success", "editor", "/upload_success"),
    Shown("uploaded", "editor", "/files", act=upload),
    Shown("scripts", "editor", "/files/scripts"),
    Shown("tokens", "editor", "/account/tokens"),
    Shown("token-made", "editor", "/account/tokens", act=make_token),
    Shown("numbers", None, "/numbers"),
    Shown("numbers-pi", "editor", "/numbers?pi=1000000&fib=300"),
    Shown("numbers-refused", "editor", "/numbers?pi=-5&fib=300000", 422),
    Shown("session", "editor", "/session"),
    Shown("session-value", "editor", "/session", act=put_value),
    Shown("account", "editor", "/account"),
    Shown("password", "editor", "/account/password"),
    Shown("password-refused", "editor", "/account/password", 422, repeat_wrongly, focused=True),
    Shown("password-first", "newcomer", "/account/password"),
    Shown("people", "admin", "/people"),
    Shown("person-new", "admin", "/people/new", focused=True),
    Shown("person-refused", "admin", "/people/new", 422, add_taken_name, focused=True),
    Shown("person", "admin", "/people/2"),
    Shown("person-self", "admin", "/people/1"),
    Shown("person-disabled", "admin", "/people/5"),
    Shown("first-password", "admin", "/people/6", act=give_first_password),
    Shown("history", "admin", "/history"),
    Shown("history-filtered", "admin", "/history?person=1&kind=city"),
    Shown("history-none", "admin", "/history?day=2020-02-01"),
    Shown("missing", "viewer", "/nothing-here", 404),
    Shown("forbidden", "viewer", "/people", 403),
]
