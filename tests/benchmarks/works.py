"""What `make bench` measures: the works, and what each side does for them."""

import json
import random
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from urllib.parse import quote

from app.database.cursor import Cursor, write_cursor
from app.database.keyset import PAGE_SIZE
from app.numbers import pi
from tests.benchmarks.clients import Asked, Client, repeat, result_of, start_wrk
from tests.benchmarks.figures import Load
from tests.benchmarks.rows import SYLLABLES
from tests.benchmarks.sides import HUGE, LARGE, SMALL, Side, Sides

CONNECTIONS, READERS, WRITERS = 32, 28, 4
ADDRESSES = 4000  # more than wrk asks for in one run
WRITE_SECONDS = 1.0
PI_N, PI_MOST = 1_000_000, 32_768
FIRST_WORD = quote(SYLLABLES[0])


@dataclass(frozen=True)
class Run:
    """One round: for how long, and its random numbers, which are the same for each side."""

    seconds: float
    random: random.Random


# Returns what the clients saw: of each part of the work.
Perform = Callable[[Run], list[Load]]


@dataclass(frozen=True)
class Work:
    """One line of the table for each side and part. `sides` has what each does, by its name in the
    table, ours first."""

    name: str
    sides: dict[str, tuple[Side | None, Perform]]
    parts: tuple[str, ...] = ("",)


def our_cities(ours: Side) -> Asked:
    """New cities; ours have an idempotency key too."""
    return ours.create("/cities/new", "&key={}")


def add_cities(side: Side, asked: Asked, seconds: float) -> Load:
    """Add one in each WRITE_SECONDS."""
    client, word, numbers = Client(side.base, side.writer), secrets.token_hex(8), count()

    def create() -> bool:
        return client.post(asked.paths[0], asked.form.replace("{}", f"{word}x{next(numbers)}"))

    seen = repeat(create, seconds, WRITE_SECONDS)
    client.close()
    return seen


@dataclass(frozen=True)
class Works:
    """Makes the works of these sides."""

    sides: Sides

    def all(self) -> list[Work]:
        ours, peer, bare = self.sides.ours, self.sides.peer, self.sides.bare
        return [
            self.same("empty view", {"ours": ours, "peer": peer, "bare": bare}, "/empty"),
            self.same(
                "list, first page, cached",
                {"ours": ours, "peer": peer},
                "/cities",
                uncounted="/cities/uncounted",
            ),
            self.pages(),
            self.same("search, same word", {"ours": ours, "peer": peer}, f"/cities?q={FIRST_WORD}"),
            self.words(),
            self.create(),
            self.mixed("mixed, writers without pause", self.write_always),
            self.mixed("mixed, one write a second", self.write_slowly),
            self.same("π, cached", {"ours": ours, "peer": peer}, f"/pi/{PI_N}"),
            self.pi_computed(),
            self.small_downloads(),
            self.large_downloads(),
            self.uploads(),
        ]

    def wrk(self, side: Side, ask: Callable[[Run], Asked]) -> tuple[Side, Perform]:
        """Asked by all connections."""

        def perform(run: Run) -> list[Load]:
            return [
                result_of(start_wrk(ask(run), CONNECTIONS, run.seconds, self.sides.folder)),
            ]

        return side, perform

    def same(
        self, name: str, sides: dict[str, Side], path: str, uncounted: str | None = None
    ) -> Work:
        """One address, again and again."""
        asked = {
            label: self.wrk(side, lambda _run, side=side: side.get(path))
            for label, side in sides.items()
        }
        if uncounted:
            peer = self.sides.peer
            asked["peer without COUNT"] = self.wrk(peer, lambda _run: peer.get(uncounted))
        return Work(name, asked)

    def pages(self) -> Work:
        """Another page of the list each time."""
        ours, peer, rows = self.sides.ours, self.sides.peer, self.sides.rows

        def our_pages(run: Run) -> Asked:
            ids = run.random.sample(range(1, rows + 1), min(rows, ADDRESSES))
            cursors = (write_cursor(Cursor(True, each, None, rows - each)) for each in ids)
            return ours.get(*(f"/cities?page={cursor}" for cursor in cursors))

        def their_pages(path: str) -> Callable[[Run], Asked]:
            last = max(1, rows // PAGE_SIZE)
            return lambda run: peer.get(
                *(f"{path}?page={run.random.randint(1, last)}" for _ in range(ADDRESSES))
            )

        return Work(
            "list, another page each time",
            {
                "ours": self.wrk(ours, our_pages),
                "peer": self.wrk(peer, their_pages("/cities")),
                "peer without COUNT": self.wrk(peer, their_pages("/cities/uncounted")),
            },
        )

    def words(self) -> Work:
        """A search for another word each time, which is the beginning of some names."""

        def ask(side: Side) -> Callable[[Run], Asked]:
            def words(run: Run) -> Asked:
                lengths = run.random.choices((2, 3), k=ADDRESSES)
                found = ("".join(run.random.choices(SYLLABLES, k=k)) for k in lengths)
                return side.get(*(f"/cities?q={quote(word)}" for word in found))

            return words

        ours, peer = self.sides.ours, self.sides.peer
        return Work(
            "search, another word each time",
            {"ours": self.wrk(ours, ask(ours)), "peer": self.wrk(peer, ask(peer))},
        )

    def create(self) -> Work:
        ours, peer = self.sides.ours, self.sides.peer
        unrecorded = "/cities/new/unrecorded"
        return Work(
            "create a city",
            {
                "ours": self.wrk(ours, lambda _run: our_cities(ours)),
                "peer": self.wrk(peer, lambda _run: peer.create("/cities/new")),
                "peer without history": self.wrk(peer, lambda _run: peer.create(unrecorded)),
            },
        )

    def new_cities(self, side: Side) -> Asked:
        return our_cities(side) if side is self.sides.ours else side.create("/cities/new")

    def mixed(self, name: str, write: Callable[[Side, Run], Load]) -> Work:
        """Readers of the first page beside writers."""

        def perform(side: Side) -> tuple[Side, Perform]:
            def both(run: Run) -> list[Load]:
                asked = side.get("/cities")
                readers = start_wrk(asked, READERS, run.seconds, self.sides.folder)
                written = write(side, run)
                return [result_of(readers), written]

            return side, both

        sides = {"ours": self.sides.ours, "peer": self.sides.peer}
        asked = {label: perform(side) for label, side in sides.items()}
        return Work(name, asked, (f"{READERS} readers", "writes"))

    def write_always(self, side: Side, run: Run) -> Load:
        asked = self.new_cities(side)
        return result_of(start_wrk(asked, WRITERS, run.seconds, self.sides.folder))

    def write_slowly(self, side: Side, run: Run) -> Load:
        return add_cities(side, self.new_cities(side), run.seconds)

    def one_client(
        self, side: Side, make: Callable[[Client, Run], Callable[[], bool]], volume: int = 0
    ) -> tuple[Side, Perform]:
        """Asked by one client, one after the other."""

        def perform(run: Run) -> list[Load]:
            client = Client(side.base, side.reader)
            try:
                return [repeat(make(client, run), run.seconds, volume=volume)]
            finally:
                client.close()

        return side, perform

    def pi_computed(self) -> Work:
        """With small n, because the peer adds all terms. Beside the computation alone."""

        def numbers(run: Run) -> list[int]:
            return run.random.sample(range(PI_MOST), PI_MOST)

        def ask(client: Client, run: Run) -> Callable[[], bool]:
            waiting = iter(numbers(run))

            def compute() -> bool:
                status, body = client.get(f"/pi/{next(waiting)}")
                return status == 200 and "result" in json.loads(body)

            return compute

        def alone(run: Run) -> list[Load]:
            waiting = iter(numbers(run))
            return [repeat(lambda: pi.compute(next(waiting)) >= 0, run.seconds)]

        return Work(
            "π, not cached, one client",
            {
                "ours": self.one_client(self.sides.ours, ask),
                "peer": self.one_client(self.sides.peer, ask),
                "computation alone": (None, alone),
            },
        )

    def small_downloads(self) -> Work:
        sides = {"ours": self.sides.ours, "peer": self.sides.peer, "bare": self.sides.bare}
        asked = {
            label: self.wrk(side, lambda _run, side=side: side.get(side.files[SMALL]))
            for label, side in sides.items()
        }
        return Work("download 4 KiB", asked)

    def large_downloads(self) -> Work:
        sides = {"ours": self.sides.ours, "peer": self.sides.peer, "bare": self.sides.bare}
        asked = {
            label: self.one_client(
                side,
                lambda client, _run, side=side: lambda: client.download(side.files[LARGE], LARGE),
                LARGE,
            )
            for label, side in sides.items()
        }
        return Work("download 100 MiB, one client", asked)

    def uploads(self) -> Work:
        """With sign-in, digest and sync on both sides. Uploaded files are deleted from the disk."""

        def perform(side: Side) -> tuple[Side, Perform]:
            def upload(run: Run) -> list[Load]:
                name = f"{run.random.getrandbits(60):x}.txt"
                client = Client(side.base, side.writer)
                with self.sides.huge.open("rb") as file:
                    seen = repeat(
                        lambda: client.upload("/upload", side.token, name, file), 0, volume=HUGE
                    )
                client.close()
                for path in side.folder.rglob("*"):
                    if path.is_file() and path.stat().st_size == HUGE:
                        path.unlink()
                return [seen]

            return side, upload

        sides = {"ours": self.sides.ours, "peer": self.sides.peer}
        return Work(
            "upload 256 MiB, one client", {label: perform(side) for label, side in sides.items()}
        )
