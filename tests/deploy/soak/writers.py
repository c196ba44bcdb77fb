"""People and scripts that work while faults happen."""

import hashlib
import random
import re
import secrets
import threading
import time
from collections.abc import Callable
from typing import Any

import requests

from tests.deploy.soak.client import REFUSED, UNKNOWN, Client, Missed, SignedOut
from tests.deploy.soak.ledger import Ledger, Outcome
from tests.factories import PASSWORD
from tests.html import Page, text_of

MOST_WAITING = 10  # previews
REPEATS = 4
JOB_SECONDS = 60


class Writer:
    """An editor with a browser and a script, who does one thing after another."""

    def __init__(self, base: str, ledger: Ledger, number: int, seed: str) -> None:
        self.client = Client(base, ledger, number)
        self.ledger, self.number, self.name = ledger, number, f"writer{number}"
        self.passwords = [PASSWORD]  # the one that was acknowledged, or those that it may be
        self.random = random.Random(f"{seed} {number}")
        self.signed_in, self.ended_by_us = False, False
        self.cities: list[int] = []  # numbers of writes
        self.files: list[tuple[int, str]] = []  # ids and SHA-256
        self.removable: list[int] = []
        self.works: list[tuple[Callable[[], None], int]] = [
            (self.create_city, 8),
            (self.update_city, 8),
            (self.remove_city, 3),
            (self.import_cities, 3),
            (self.upload_form, 4),
            (self.upload_script, 6),
            (self.download, 6),
            (self.remove_file, 3),
            (self.sign_in, 1),
            (self.change_password, 1),
        ]

    def begin(self) -> None:
        """Sign in, and create the token of the script."""
        self.sign_in()
        page = self.get("/account/tokens")
        fields = {"label": "soak", "password": PASSWORD}
        made = self.post(self.client.form(page, "/account/tokens", **fields), (200,)).text
        (self.token,) = set(re.findall(r"gz_[\w-]{40,}", made))
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        self.script = Client(self.client.base, self.ledger, self.number, **headers)

    def run(self, stopped: threading.Event) -> None:
        """Work until it is stopped."""
        works, weights = zip(*self.works, strict=True)
        while not stopped.is_set():
            try:
                if not self.signed_in:
                    self.sign_in()
                self.random.choices(works, weights)[0]()
            except SignedOut:
                if not self.ended_by_us:
                    self.ledger.fault(f"{self.name} was signed out")
                self.signed_in = False
            except Missed:
                time.sleep(0.2)
            except Exception as error:  # a thread would end without a word
                self.ledger.fault(f"{self.name}: {error!r:.500}")
            time.sleep(self.random.uniform(0, 0.3))

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return self.client.ask("GET", path, **kwargs)

    def post(self, form: dict[str, Any], expected: tuple[int, ...] = (303,)) -> requests.Response:
        return self.client.ask(**form, expected=expected)

    def write(
        self,
        action: str,
        key: object,
        form: dict[str, Any],
        expected: tuple[int, ...] = (303,),
        repeats: int = 0,
    ) -> None:
        """Send a form that makes one change."""
        writes = [self.ledger.begin(action, key)]
        self.client.write(writes, lambda: self.post(form, expected), repeats)

    def sign_in(self) -> None:
        """Sign in with the password that is known, or with each that it may be."""
        self.signed_in = False
        for password in list(self.passwords):
            self.client.session.cookies.clear()
            form = self.client.form(self.get("/login"), "/login", name=self.name, password=password)
            expected = (303,) if len(self.passwords) == 1 else (303, 422)
            if self.post(form, expected).status_code == 303:
                self.passwords = [password]
                self.signed_in, self.ended_by_us = True, False
                return
        self.ledger.fault(f"no password of {self.name} is right")

    def change_password(self) -> None:
        """Until it is acknowledged both passwords may be right."""
        new = secrets.token_hex(12)
        page = self.get("/account/password")
        (current,) = self.passwords
        fields = {"current": current, "password": new, "again": new}
        form = self.client.form(page, "/account/password", **fields)
        self.passwords, self.signed_in, self.ended_by_us = [new, current], False, True
        try:
            self.write("person.password", self.number, form)
        except Missed as missed:
            if missed.refused:
                self.passwords = [current]
            raise
        self.passwords, self.signed_in, self.ended_by_us = [new], True, False

    def create_city(self) -> None:
        """The form has a key, so it may be sent again."""
        number = next(self.ledger.numbers)
        form = self.client.form(self.get("/cities/new"), "/cities/new", **city(number, number))
        self.write("city.create", number, form, repeats=REPEATS)
        self.cities.append(number)

    def find_city(self) -> tuple[int, int]:
        """The name and id of one of our cities."""
        if not self.cities:
            raise Missed()
        name = self.random.choice(self.cities)
        text = city(name, 0)["city"]
        links = Page(self.get(f"/cities?q={text}")).all("td.main a")
        ids = [str(a["href"]).rpartition("/")[2] for a in links if text_of(a) == text]
        if not ids:  # the list may come from a cache that could not be emptied
            raise Missed()
        return name, int(ids[0])

    def update_city(self) -> None:
        """Sent again with the same values it changes nothing."""
        name, city_id = self.find_city()
        number, path = next(self.ledger.numbers), f"/cities/{city_id}"
        form = self.client.form(self.get(path), path, **city(name, number))
        self.write("city.update", number, form, repeats=REPEATS)

    def remove_city(self) -> None:
        """Remove a city, and mostly restore it with the button that the next page shows."""
        name, city_id = self.find_city()
        path = f"/cities/{city_id}/delete"
        form = self.client.form(self.get(path), path)
        self.cities.remove(name)
        self.write("city.delete", city_id, form)
        if self.random.random() < 0.8:
            undo = self.undo(self.get("/cities"), "/cities/removed/", name)
            self.write("city.restore", city_id, undo)
            self.cities.append(name)

    def undo(self, page: requests.Response, path: str, name: int | str = "") -> dict[str, Any]:
        """The button of a notice, which mentions the name."""
        for button in Page(page).all(f'[formaction^="{path}"]'):
            if str(name) in button.parent.text:
                return self.client.form(page, str(button["formaction"]))
        raise Missed()  # the notice was lost with a response

    def wait_for(self, path: str, selector: str) -> requests.Response:
        """The page of an import once it has this; Missed if its job takes longer than a minute."""
        end = time.monotonic() + JOB_SECONDS
        while time.monotonic() < end:
            page = self.get(path)
            if Page(page).has(selector):
                return page
            time.sleep(0.5)
        raise Missed()

    def import_cities(self) -> None:
        """Some lines, all of which are imported by the job of one confirmation."""
        page = self.get("/cities/import")
        waiting = re.findall(r'href="(/cities/import/\d+)"', page.text)
        if len(waiting) > MOST_WAITING:  # of previews whose response was lost
            self.post(self.client.form(self.get(waiting[0]), f"{waiting[0]}/cancel"))
            return
        numbers = [next(self.ledger.numbers) for _ in range(self.random.randint(1, 60))]
        lines = [
            "city,province,number",
            *(",".join(map(str, city(n, n).values())) for n in numbers),
        ]
        form = self.client.form(page, "/cities/import")
        form["files"] = {"file": (f"{numbers[0]}.csv", "\n".join(lines).encode())}
        preview = self.post(form).headers["Location"]
        page = self.wait_for(preview, "form[action*='/confirm']")
        form = self.client.form(page, f"{preview}/confirm")

        def confirm() -> requests.Response:
            self.post(form)
            try:
                return self.wait_for(preview, "[data-live] .notice.good")
            except Missed:  # the job goes on, or is done
                raise Missed() from None

        writes = [self.ledger.begin("city.create", number) for number in numbers]
        writes.append(self.ledger.begin("import.apply", preview.rpartition("/")[2]))
        self.client.write(writes, confirm, REPEATS)
        self.cities += numbers

    def content(self) -> tuple[bytes, str]:
        """The content of a new file, and its SHA-256."""
        size = int(10 ** self.random.uniform(1, 6.5))
        data = (secrets.token_hex(32).encode() * (size // 64 + 1))[: size + 64]
        return data, hashlib.sha256(data).hexdigest()

    def upload_form(self) -> None:
        """One file through the form of a page, as a new version of the same name."""
        form = self.client.form(self.get("/files"), "/upload")
        data, sha256 = self.content()
        form["files"] = {"file": (f"{self.name}.txt", data)}
        # Without Redis the results are shown at once.
        self.write("file.create", sha256, form, (200, 303))

    def upload_script(self) -> None:
        """Some files in one form, by token."""
        names = [secrets.token_hex(8) + ".txt" for _ in range(self.random.choice((1, 1, 3)))]
        sent = {name: self.content() for name in names}
        writes = {name: self.ledger.begin("file.create", sent[name][1]) for name in names}
        files = [("file", (name, sent[name][0])) for name in names]
        try:
            response = self.script.ask("POST", "/upload", (200, 207, 422), files=files)
        except Missed as missed:
            for write in writes.values():
                self.ledger.end(write, Outcome.REFUSED if missed.refused else Outcome.UNKNOWN)
            raise
        for found in response.json()["files"]:
            if found["kept"]:
                self.ledger.end(writes[found["path"]], Outcome.DONE)
                self.files.append((found["id"], found["sha256"]))
                self.removable.append(found["id"])
            elif found["status"] not in (*REFUSED, *UNKNOWN):
                self.ledger.fault(f"an upload was refused: {found}")

    def download(self) -> None:
        """A file comes down as it went up."""
        if not self.files:
            raise Missed()
        file_id, sha256 = self.random.choice(self.files)
        client = self.random.choice((self.client, self.script))
        response = client.ask("GET", f"/files/{file_id}")
        if hashlib.sha256(response.content).hexdigest() != sha256:
            self.ledger.fault(f"file {file_id} came down with {len(response.content)} other bytes")

    def remove_file(self) -> None:
        """Remove a file, and mostly restore it."""
        if not self.removable:
            raise Missed()
        file_id = self.random.choice(self.removable)
        path = f"/files/{file_id}/remove"
        form = self.client.form(self.get(f"/files/{file_id}/details"), path)
        self.removable.remove(file_id)
        self.files = [file for file in self.files if file[0] != file_id]
        self.write("file.delete", file_id, form)
        if self.random.random() < 0.8:
            undo = self.undo(self.get("/files"), f"/files/{file_id}/restore")
            self.write("file.restore", file_id, undo)
            self.removable.append(file_id)


def city(name: int, users: int) -> dict[str, object]:
    """The fields of a city whose name no other has."""
    return {"city": f"Soak-{name:07}", "province": "Soak", "number": users}
