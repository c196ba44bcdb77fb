"""`make pictures`: a contact sheet per page, in two sizes, colour schemes and languages, and the
picture in the README (`panels`).

python -m tests.browser.pictures [PAGE ...]   writes pictures/PAGE.png, and pictures/single/*.png.
"""

import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.config import ROOT
from tests import servers
from tests.browser import panels
from tests.browser.pages import PAGES, Visit
from tests.browser.site import CHROMIUM_ARGUMENTS, running_site
from tests.site import Site

OUT = ROOT / "pictures"
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
VARIANTS = list(product(SIZES, ("light", "dark"), ("en", "zh-CN")))


def shoot(browser: Browser, site: Site, visit: Visit) -> list[Path]:
    """Take a screenshot of each variant of a page."""
    shots = []
    for size, scheme, language in VARIANTS:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=language,
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            has_touch=size == "phone",
            is_mobile=size == "phone",
        )
        if visit.role:
            cookie = {"name": "gz", "value": site.cookie(visit.role), "url": site.base}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        visit.open(site, page)
        shot = OUT / "single" / f"{visit.name}-{size}-{scheme}-{language[:2]}.png"
        page.screenshot(path=shot, full_page=True, clip=None)
        shots.append(shot)
        context.close()
    return shots


def contact_sheet(browser: Browser, name: str, shots: list[Path]) -> None:
    """Combine the variants of a page in one image."""
    cells = "".join(
        f'<figure class="{shot.stem.split("-")[-3]}"><figcaption>{shot.stem}</figcaption>'
        f'<div><img src="{shot.as_uri()}"></div></figure>'
        for shot in shots
    )
    html = OUT / "single" / f"{name}.html"
    html.write_text(
        "<style>body{margin:16px;font:13px sans-serif;background:#888;display:grid;gap:12px;"
        "grid-template-columns:repeat(4,1fr)}figure{margin:0}div{max-height:640px;overflow:hidden}"
        "img{width:100%}.phone img{width:60%}</style>" + cells
    )
    page = browser.new_page(viewport={"width": 2000, "height": 800})
    page.goto(html.as_uri())
    page.screenshot(path=OUT / f"{name}.png", full_page=True)
    page.close()
    html.unlink()


def main(wanted: list[str]) -> None:
    """Take screenshots of all pages, or of those named."""
    (OUT / "single").mkdir(parents=True, exist_ok=True)
    visits = [visit for visit in PAGES if not wanted or visit.name in wanted]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=servers.CHROMIUM, args=CHROMIUM_ARGUMENTS
        )
        if visits:
            with running_site() as site:
                for visit in visits:
                    contact_sheet(browser, visit.name, shoot(browser, site, visit))
        if not wanted or panels.NAME in wanted:
            panels.make(browser, OUT)
        browser.close()
    sys.stdout.write(f"The contact sheets are in {OUT.relative_to(ROOT)}/.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
