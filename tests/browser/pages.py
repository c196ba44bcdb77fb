"""Every page of the application: a name, who visits it, and how to get there."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlsplit

import requests
from playwright.sync_api import Page, Response

from tests.factories import HTML, PASSWORD
from tests.html import Page as Html
from tests.site import Site

numbers = count(1)  # for names of rows, which are created again for each visit


@dataclass(frozen=True)
class Visit:
    """A visit of a page at `path`, or of the page to which `act` leads: from there, or by itself if
    the path is empty. What happened before is sent without the browser, which is quicker."""

    name: str
    role: str | None
    path: str
    status: int = 200
    act: Callable[[Site, Page], Response | None] | None = None
    focused: bool = False  # an element has the focus from the start

    def open(self, site: Site, page: Page) -> int:
        """Open it in the browser; returns the status of the response."""
        response = None
        if self.path:
            response = page.goto(site.base + self.path.format(**site.found))
        if self.act:
            response = self.act(site, page) or response
        assert response is not None
        return response.status


def submit(page: Page, button: str = "main form[method=post] .btn-primary") -> Response:
    """Press the first matching button; returns the response."""
    with page.expect_navigation() as sent:
        page.locator(button).first.dispatch_event("click")
    return sent.value


def submit_question(page: Page) -> Response:
    """Answer the question of a page with yes; returns the response."""
    return submit(page, "main form[method=post] button[type=submit]")


def add_invalid_city(_site: Site, page: Page) -> Response | None:
    """Send the form for a new city with invalid values."""
    page.fill("#number", "12.5")
    return submit(page)


def add_same_city(_site: Site, page: Page) -> Response | None:
    """Add a city that exists already."""
    page.fill("#city", "深圳市")
    page.fill("#province", "广东")
    page.fill("#number", "5")
    return submit(page)


def add_city(_site: Site, page: Page) -> Response | None:
    """Add a city."""
    page.fill("#city", f"新城市 {next(numbers)}")
    page.fill("#province", "广东")
    page.fill("#number", "1200")
    return submit(page)


def save_outdated(site: Site, page: Page) -> Response | None:
    """Save a city that another person has changed since the form was opened."""
    now = {name: page.input_value(f"#{name}") for name in ("city", "province")}
    site.send("admin", urlsplit(page.url).path, {**now, "number": next(numbers)})
    page.fill("#number", "30000")
    return submit(page)


def change_twice(site: Site, page: Page) -> Response | None:
    """Have two people change a city."""
    path = "/cities/398"
    now = typed(site, path)
    for person in ("admin", "editor"):
        site.send(person, path, {**now, "number": 1000 + next(numbers)})
    return page.goto(site.base + path)


def typed(site: Site, path: str) -> dict[str, object]:
    """The names in the form of a city."""
    form = Html(site.clients["editor"].get(site.base + path, timeout=60))
    return {name: str(form.one(f"#{name}")["value"]) for name in ("city", "province")}


def save_city(_site: Site, page: Page) -> Response | None:
    """Save the third city of the list with another number."""
    page.goto(page.locator("tbody tr:nth-child(3) .main a").evaluate("link => link.href"))
    number = int(page.input_value("#number"))
    page.fill("#number", str(number - next(numbers) % 7))
    return submit(page)


def add_new_city(site: Site) -> str:
    """Create a city; returns its path."""
    fields = {"city": "三沙市", "province": "海南", "number": "5", "anyway": "1"}
    site.send("editor", "/cities/new", fields)
    newest = Html(site.clients["editor"].get(f"{site.base}/cities", timeout=60))
    return newest.links("td.main a")[0]


def add_removed_city(site: Site) -> str:
    """Create and remove a city; returns its path."""
    path = add_new_city(site)
    site.send("admin", f"{path}/delete")
    return path


def save_removed(site: Site, page: Page) -> Response | None:
    """Save a city that another person has removed since the form was opened."""
    path = add_new_city(site)
    page.goto(site.base + path)
    site.send("admin", f"{path}/delete")
    return submit(page)


def remove_city(site: Site, page: Page) -> Response | None:
    """Create a city and remove it."""
    page.goto(f"{site.base}{add_new_city(site)}/delete")
    return submit_question(page)


def open_removed_city(site: Site, page: Page) -> Response | None:
    """Go to the address of a city that was removed."""
    return page.goto(site.base + add_removed_city(site))


def restore_city(site: Site, page: Page) -> Response | None:
    """Restore the city that was removed last."""
    add_removed_city(site)
    page.goto(f"{site.base}/cities/removed")
    return submit(page, "button[formaction$='/restore']")


def choose(page: Page, name: str, content: str) -> Response:
    """Upload a CSV file."""
    page.set_input_files(
        "input[type=file]", {"name": name, "mimeType": "text/csv", "buffer": content.encode()}
    )
    return submit(page)


def import_web_page(_site: Site, page: Page) -> Response | None:
    """Import a file that is not a table."""
    return choose(page, "towns.csv", "<html><table><td>深圳市</td></table>")


def import_gb18030(site: Site, page: Page) -> Response | None:
    """Import a file whose encoding has to be chosen."""
    text = "# 城市登记表\n省份;城市;用户数;备注\n广东;深圳市;5;港口\n广东;广州市;7;\n"
    return page.goto(site.import_file("towns.csv", text.encode("gb18030")))


def choose_no_columns(site: Site, page: Page) -> Response | None:
    """Send that page without a column for the city."""
    import_gb18030(site, page)
    page.locator(".columns select").nth(1).select_option("")
    return submit(page, "#columns .btn-primary")


def import_city(site: Site, page: Page) -> Response | None:
    """Import a city and confirm."""
    text = f"province,city,number\n海南,新城市 {next(numbers)},5\n"
    page.goto(site.import_file("town.csv", text.encode()))
    return submit(page, "main .btn-primary")


def undo_import(site: Site, page: Page) -> Response | None:
    """Undo an import, of which one city was changed in the meantime."""
    import_city(site, page)
    address = page.url.removeprefix(site.base)
    page.goto(f"{site.base}/cities?sort=id&order=desc")
    page.locator("tbody .main a").first.click()
    page.fill("input[name=number]", "6")
    submit(page)
    page.goto(f"{site.base}{address}")
    return submit(page, "#import form[action*='/undo'] button")


def upload_in_panel(_site: Site, page: Page) -> Response | None:
    """Upload two files with the script; the content of one is of another type."""
    files = {f"notes {next(numbers)}.txt": b"Harbour, 15 June", "harbour.png": b"not a picture"}
    chosen = [{"name": n, "mimeType": "", "buffer": content} for n, content in files.items()]
    with page.expect_response("**/upload?*") as answered:
        page.set_input_files("#file", chosen)  # type: ignore[arg-type]
    page.locator("[data-failures] li").wait_for()
    return answered.value


def upload(site: Site, page: Page) -> Response | None:
    """Upload a file and one whose content is of another type, without the script. The results are
    in the language of the upload."""
    language = {"Accept-Language": page.evaluate("navigator.language")}
    files = [
        ("file", ("field notes.txt", b"Harbour, 15 June")),
        ("file", ("photo.png", b"MZ")),
    ]
    return page.goto(
        site.send("editor", "/upload", page="/files", files=files, headers=language).url
    )


def remove_file(site: Site, page: Page) -> Response | None:
    """Upload a file and remove it."""
    site.send("editor", "/upload", page="/files", files=[("file", ("old notes.txt", b"Old"))])
    page.goto(f"{site.base}/files")
    return submit(page, "tbody button[formaction$='/remove']")


def open_removed_file(site: Site, page: Page) -> Response | None:
    """Go from the list of removed files to the page of the one that was removed last."""
    remove_file(site, page)
    page.goto(f"{site.base}/files/removed")
    return page.goto(page.locator("tbody .main a").first.evaluate("link => link.href"))


def open_removed_folder_list(site: Site, page: Page) -> Response | None:
    """Go to the list of removed folders, in which there is one."""
    open_removed_folder(site, page)
    return page.goto(f"{site.base}/files/removed/folders")


def open_removed_folder(site: Site, page: Page) -> Response | None:
    """Upload a folder, remove it and go to its address."""
    name = f"plans {next(numbers)}"
    files = [("folder", (f"{name}/old notes.txt", b"Old"))]
    site.send("editor", "/upload", page="/files", files=files)
    page.goto(f"{site.base}/files/folders/{name}")
    page.goto(page.locator(".menu-panel a[href*=remove]").evaluate("link => link.href"))
    submit_question(page)
    return page.goto(f"{site.base}/files/folders/{name}")


def select_rows(_site: Site, page: Page) -> None:
    """Select all rows of a list."""
    page.get_by_label("Select all on this page").or_(page.get_by_label("全选本页")).check()


def add_taken_folder(_site: Site, page: Page) -> Response | None:
    """Create a folder with a name that is taken."""
    page.fill("#name", "survey")
    return submit(page)


def move_nowhere(_site: Site, page: Page) -> Response | None:
    """Move a file to a folder that does not exist."""
    page.fill("#folder", "no/such/folder")
    return submit(page)


def wait_for_viewer(_site: Site, page: Page) -> None:
    """Give the browser's viewer of documents time to draw."""
    page.wait_for_timeout(2500)


def make_current(_site: Site, page: Page) -> Response | None:
    """Make an earlier version of a file the current one, or the later one again."""
    return submit(page, "button[formaction$='/current']")


def make_token(_site: Site, page: Page) -> Response | None:
    """Create an API token."""
    page.fill("#label", f"nightly report {next(numbers)}")
    page.fill("#password", PASSWORD)
    return submit(page)


def sign_in_elsewhere(site: Site, page: Page) -> Response | None:
    """Have a session in another browser too."""
    elsewhere = Site(site.base)
    elsewhere.clients["editor"] = client = requests.Session()
    client.headers.update({**HTML, "User-Agent": page.evaluate("navigator.userAgent")})
    elsewhere.send("editor", "/login", {"name": "editor", "password": PASSWORD})
    client.close()
    return page.goto(f"{site.base}/account")


def sign_in_wrongly(_site: Site, page: Page) -> Response | None:
    """Sign in with an unknown name."""
    page.fill("#name", f"nobody {next(numbers)}")
    page.fill("#password", "not the password")
    return submit(page)


def choose_wrong_zone(_site: Site, page: Page) -> Response | None:
    """Choose a time zone that does not exist."""
    page.fill("#time_zone", "Atlantis")
    return submit(page, "#reading button[type=submit]")


def repeat_wrongly(_site: Site, page: Page) -> Response | None:
    """Choose a new password and repeat it wrongly."""
    page.fill("#current", "something")
    page.fill("#password", "a new password")
    page.fill("#again", "another password")
    return submit(page)


def give_first_password(_site: Site, page: Page) -> Response | None:
    """Set a first password, which is shown once."""
    return submit(page, "form[action*='/password?'] button")


def add_taken_name(_site: Site, page: Page) -> Response | None:
    """Add a person with a name that is taken."""
    page.fill("#name", "viewer")
    return submit(page)


def store_value(_site: Site, page: Page) -> Response | None:
    """Store a value in the session."""
    page.fill("#key", "colour")
    page.fill("#value", "青")
    return submit(page)


def change_things(site: Site, page: Page) -> Response | None:
    """Upload a folder and change, add and remove cities, then look at the start page."""
    files = [("file", (f"survey/notes {n}.txt", b"Harbour")) for n in range(3)]
    site.send("admin", "/upload", page="/files", files=files)
    site.send("editor", f"{add_new_city(site)}/delete")
    path = add_new_city(site)
    site.send("editor", path, {**typed(site, path), "number": next(numbers)})
    return page.goto(f"{site.base}/")


PAGES = [
    Visit("start", "editor", "", act=change_things),
    Visit("start-admin", "admin", "/"),
    Visit("start-viewer", "viewer", "/"),
    Visit("start-visitor", None, "/"),
    Visit("search", "admin", "/search?q=a"),
    Visit("search-none", "viewer", "/search?q=nowhere"),
    Visit("search-empty", "viewer", "/search", focused=True),
    Visit("login", None, "/login", focused=True),
    Visit("login-refused", None, "/login", 422, sign_in_wrongly, focused=True),
    Visit("login-ended", None, "/login?why=ended", focused=True),
    Visit("login-out", None, "/login?why=out", focused=True),
    Visit("setup-used", None, "{setup}", 404),
    Visit("login-draft", None, "/login?why=stored&next=/cities/new", focused=True),
    Visit("jobs", "admin", "/jobs"),
    Visit("jobs-none", "editor", "/jobs?state=failed"),
    Visit("job", "admin", "{job}"),
    Visit("job-new", "viewer", "/jobs/new/sum", focused=True),
    Visit(
        "job-new-export", "viewer", "/jobs/new/cities.export?q=%E5%B7%9E&sort=users", focused=True
    ),
    Visit("schedules", "admin", "/schedules"),
    Visit("schedule", "admin", "{schedule}"),
    Visit("schedule-housekeeping", "admin", "/schedules/1"),
    Visit("schedule-new", "admin", "/schedules/new/sum", focused=True),
    Visit("schedule-edit", "admin", "{schedule}/edit", focused=True),
    Visit("schedules-remove", "admin", "/schedules/remove-all"),
    Visit("cities", "editor", "/cities"),
    Visit("cities-viewer", "viewer", "/cities?q=%E5%B7%9E&sort=users&order=desc"),
    Visit("cities-none", "editor", "/cities?q=nowhere"),
    Visit("cities-flawed", "editor", "/cities?flawed=1"),
    Visit("cities-not-exported", "viewer", "/cities/export.csv?encoding=big5", 422),
    Visit("city-new", "editor", "/cities/new", focused=True),
    Visit("city-refused", "editor", "/cities/new", 422, add_invalid_city, focused=True),
    Visit("city-same", "editor", "/cities/new", 422, add_same_city, focused=True),
    Visit("city-added", "editor", "/cities/new", act=add_city),
    Visit("city-edit", "editor", "/cities/400"),
    Visit("city-changed", "editor", "", act=change_twice),
    Visit("city-saved", "editor", "/cities?sort=users", act=save_city),
    Visit("city-outdated", "editor", "/cities/399", 409, save_outdated, focused=True),
    Visit("city-gone", "editor", "", 404, save_removed, focused=True),
    Visit("city-flawed", "editor", "/cities/419"),
    Visit("city-facts", "viewer", "/cities/400"),
    Visit("city-delete", "editor", "/cities/400/delete"),
    Visit("city-removed", "editor", "", act=remove_city),
    Visit("cities-removed", "admin", "/cities/removed"),
    Visit("cities-removed-none", "editor", "/cities/removed?q=nowhere"),
    Visit("cities-removed-empty", "admin", "/cities/removed/empty"),
    Visit("city-was-removed", "editor", "", 404, open_removed_city),
    Visit("city-restored", "editor", "", act=restore_city),
    Visit("import", "editor", "/cities/import"),
    Visit("import-refused", "editor", "/cities/import", 422, import_web_page, focused=True),
    Visit("import-reading", "editor", "", act=import_gb18030),
    Visit("import-reading-refused", "editor", "", 422, choose_no_columns, focused=True),
    Visit("import-preview", "editor", "{preview}"),
    Visit("import-new", "editor", "{long_preview}/new?page=2"),
    Visit("import-refused-lines", "editor", "{preview}/refused"),
    Visit("import-applied", "editor", "", act=import_city),
    Visit("import-undone", "editor", "", act=undo_import),
    Visit("imports", "editor", "/cities/imports"),
    Visit("glance", "viewer", "/cities/glance"),
    Visit("files", "editor", "/files"),
    Visit("files-viewer", "viewer", "/files?q=pdf"),
    Visit("file", "editor", "/files/4/details"),
    Visit("file-viewer", "viewer", "/files/5/details"),
    Visit("file-pdf", "editor", "/files/1/details", act=wait_for_viewer),
    Visit("file-scripted", "editor", "/files/8/details"),
    Visit("file-versions", "editor", "/files/2/details"),
    Visit("file-broken", "editor", "/files/6/details"),
    Visit("file-drawing", "editor", "/files/7/details"),
    Visit("file-sound", "editor", "/files/9/details"),
    Visit("file-current", "editor", "/files/2/details", act=make_current),
    Visit("folder", "editor", "/files/folders/survey"),
    Visit("folder-viewer", "viewer", "/files/folders/survey/2026"),
    Visit("folder-selected", "editor", "/files/folders/survey", act=select_rows, focused=True),
    Visit("folder-new", "editor", "/files/new-folder?in=survey", focused=True),
    Visit("folder-refused", "editor", "/files/new-folder", 422, add_taken_folder, focused=True),
    Visit("folder-move", "editor", "/files/move?folder=1", focused=True),
    Visit("files-move", "editor", "/files/move?file=1&file=2&folder=1", focused=True),
    Visit("files-move-refused", "editor", "/files/move?file=1", 422, move_nowhere, focused=True),
    Visit("files-remove", "editor", "/files/remove?file=1&folder=1"),
    Visit("folder-search", "viewer", "/files/folders/survey?q=t&sort=name"),
    Visit("file-removed", "editor", "", act=remove_file),
    Visit("file-was-removed", "editor", "", 404, open_removed_file),
    Visit("folder-was-removed", "editor", "", 404, open_removed_folder),
    Visit("files-removed", "admin", "/files/removed"),
    Visit("files-removed-folders", "editor", "", 200, open_removed_folder_list),
    Visit("files-removed-empty", "admin", "/files/removed/empty"),
    Visit("upload-success", "editor", "/upload_success"),
    Visit("upload-panel", "editor", "/files", 207, act=upload_in_panel),
    Visit("uploaded", "editor", "", act=upload),
    Visit("scripts", "editor", "/files/scripts"),
    Visit("tokens", "editor", "/account/tokens"),
    Visit("token-made", "editor", "/account/tokens", act=make_token),
    Visit("numbers", None, "/numbers"),
    Visit("numbers-pi", "editor", "/numbers?pi=1,000,000&fib=10,000"),
    Visit("numbers-large", None, f"/numbers?pi={2**63}&fib=1,000,000"),
    Visit("numbers-refused", "editor", "/numbers?pi=-5&fib=3000000", 422),
    Visit("session", "editor", "/session"),
    Visit("session-value", "editor", "/session", act=store_value),
    Visit("account", "editor", "/account"),
    Visit("account-zone", "viewer", "/account", 422, choose_wrong_zone, focused=True),
    Visit("account-sessions", "editor", "", act=sign_in_elsewhere),
    Visit("password", "editor", "/account/password"),
    Visit("password-refused", "editor", "/account/password", 422, repeat_wrongly, focused=True),
    Visit("password-first", "newcomer", "/account/password"),
    Visit("people", "admin", "/people"),
    Visit("people-none", "admin", "/people?q=nobody+at+all"),
    Visit("person-new", "admin", "/people/new", focused=True),
    Visit("person-refused", "admin", "/people/new", 422, add_taken_name, focused=True),
    Visit("person", "admin", "/people/2"),
    Visit("person-self", "admin", "/people/1"),
    Visit("person-disabled", "admin", "/people/5"),
    Visit("first-password", "admin", "/people/6", act=give_first_password),
    Visit("history", "admin", "/history"),
    Visit("history-filtered", "admin", "/history?person=2&kind=city"),
    Visit("history-none", "admin", "/history?day=2020-02-01"),
    Visit("missing", "viewer", "/nothing-here", 404),
    Visit("forbidden", "viewer", "/people", 403),
]
