"""`make pictures`: one contact sheet per page, two sizes by two schemes by two languages.

python -m tests.browser.pictures [PAGE ...]   writes pictures/PAGE.png and the single shots beside.
"""

import sys
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from app.config import ROOT
from tests import servers
from tests.browser.pages import PAGES, Shown
from tests.browser.site import CHROMIUM_ARGUMENTS, running_site
from tests.site import Site

OUT = ROOT / "pictures"
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
VARIANTS = list(product(SIZES, ("light", "dark"), ("en", "zh-CN")))


def shoot(browser: Browser, site: Site, shown: Shown) -> list[Path]:
    """All variants of one page."""
    shots = []
    for size, scheme, language in VARIANTS:
        width, height = SIZES[size]
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            locale=language,
            reduced_motion="reduce",
            has_touch=size == "phone",
            is_mobile=size == "phone",
        )
        if shown.role:
            cookie = {"name": "gz", "value": site.cookie(shown.role), "url": site.base}
            context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        shown.open(site, page)
        shot = OUT / "single" / f"{shown.name}-{size}-{scheme}-{language[:2]}.png"
        page.screenshot(path=shot, full_page=True, clip=None)
        shots.append(shot)
        context.close()
    return shots


def contact_sheet(browser: Browser, name: str, shots: list[Path]) -> None:
    """The variants of a page in one picture."""
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
    """Take the pictures of all pages, or of those named."""
    (OUT / "single").mkdir(parents=True, exist_ok=True)
    with running_site() as site, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=servers.CHROMIUM, args=CHROMIUM_ARGUMENTS
        )
        for shown in PAGES:
            if not wanted or shown.name in wanted:
                contact_sheet(browser, shown.name, shoot(browser, site, shown))
        browser.close()
    sys.stdout.write(f"The contact sheets are in {OUT.relative_to(ROOT)}/.\n")


if __name__ == "__main__":
    main(sys.argv[1:])
