"""The picture in the README: three panels of the demo, as `make pictures` makes it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page

from app import create_app
from app.cli.demo.command import fill
from app.config import Settings
from app.database.engine import db
from tests import servers
from tests.applications import environment, migrate
from tests.site import Site

NAME = "panels"
WIDTH, GAP, HALF = 880, 24, 520
MARGIN_COLOUR = (214, 218, 216)


@contextmanager
def demo_site() -> Iterator[Site]:
    """The demo, with Lin signed in."""
    with servers.short_folder("demo") as folder, servers.redis_server(folder) as redis_url:
        env = environment(folder, redis_url)
        (folder / "instance").mkdir()
        app = create_app(Settings.load(env))
        migrate(app)
        with app.app_context():
            passwords = fill()
            db.session.remove()
            db.engine.dispose()
        with servers.gunicorn_server(env, folder / "web.log") as base:
            site = Site(base)
            site.sign_in("Lin", passwords["Lin"])
            yield site


def open_page(browser: Browser, site: Site, path: str, height: int, **options: str) -> Page:
    """A page of Lin's, as wide as a panel."""
    context = browser.new_context(
        viewport={"width": WIDTH, "height": height},
        reduced_motion="reduce",
        timezone_id="Asia/Shanghai",
        **{"locale": "en", "color_scheme": "light", **options},  # type: ignore[arg-type]
    )
    context.add_cookies([{"name": "gz", "value": site.cookie("Lin"), "url": site.base}])
    page = context.new_page()
    page.goto(site.base + path)
    return page


def start_page(browser: Browser, site: Site) -> Page:
    return open_page(browser, site, "/", 2 * HALF + GAP)


def show_pictures(page: Page) -> None:
    """Reload the page until all small pictures are there; the first time they are made, a few at a
    time, which a busy machine may refuse."""
    missing = "[...document.querySelectorAll('.item img')].some((img) => img.naturalWidth < 3)"
    for _again in range(5):
        page.wait_for_load_state("networkidle")
        page.locator("table").scroll_into_view_if_needed()
        if not page.evaluate(missing):
            break
        page.reload()
    page.evaluate("scrollTo(0, 0)")


def upload(browser: Browser, site: Site) -> Page:
    """A folder, and an upload into it of which half is done and one file has failed."""
    page = open_page(browser, site, "/files/folders/survey/harbour", HALF)
    show_pictures(page)
    network = page.context.new_cdp_session(page)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 300_000}
    network.send("Network.emulateNetworkConditions", slow)
    names = ["plan.png", *(f"harbour-{number}.jpg" for number in range(100, 500))]
    page.evaluate(
        """(names) => {
            const transfer = new DataTransfer();
            for (const name of names) {
                const start = name.endsWith("png") ? "%PDF" : "\\xff\\xd8\\xff";
                const bytes = Uint8Array.from(start.padEnd(20000, "x"), (c) => c.charCodeAt());
                transfer.items.add(new File([bytes], name));
            }
            const drop = new DragEvent("drop", {dataTransfer: transfer, bubbles: true});
            document.querySelector("[data-drop]").dispatchEvent(drop);
        }""",
        names,
    )
    page.locator("[data-failures] li").wait_for(timeout=60_000)
    page.get_by_text("seconds left").wait_for(timeout=60_000)
    return page


def numbers(browser: Browser, site: Site) -> Page:
    """Numbers, dark and in Chinese."""
    options = {"locale": "zh-CN", "color_scheme": "dark"}
    return open_page(browser, site, "/numbers?pi=1000000&fib=300", HALF, **options)


def make(browser: Browser, folder: Path) -> None:
    """Write the picture: the start page at the left, the others at the right."""
    places = {start_page: (GAP, GAP), upload: (2 * GAP + WIDTH, GAP)}
    places[numbers] = (2 * GAP + WIDTH, 2 * GAP + HALF)
    size = (2 * WIDTH + 3 * GAP, 2 * HALF + 3 * GAP)
    picture = Image.new("RGB", size, MARGIN_COLOUR)
    with demo_site() as site:
        for open_panel, place in places.items():
            page = open_panel(browser, site)
            shot = folder / "single" / f"{NAME}-{open_panel.__name__}.png"
            page.screenshot(path=shot)
            page.context.close()
            picture.paste(Image.open(shot).convert("RGB"), place)
    few = picture.quantize(256, dither=Image.Dither.FLOYDSTEINBERG)
    few.save(folder / f"{NAME}.png", optimize=True)
