"""The list as HTML, cached in Redis for all who read the same page in the same language.

So the template gets no request and no person, only whether its reader may write: it cannot contain
anything personal, nor a token.
"""

import functools
import hashlib
import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from flask import current_app
from flask_babel import get_locale
from markupsafe import Markup, escape

from app.actor import Actor
from app.cities import cache
from app.cities.exporting.formats import FORMATS
from app.cities.listing import queries
from app.cities.listing.provinces import has_province, suggest_provinces
from app.cities.listing.queries import CityListing, Hits
from app.cities.listing.row_format import RowFormatter
from app.cities.models import TEXT_LENGTH
from app.cities.queries import check_reader
from app.cities.rules import province_same
from app.config import ROOT
from app.current import settings
from app.database.cursor import Cursor, write_cursor
from app.database.keyset import SEARCH_LENGTH
from app.web.assets import static_files
from app.web.formatting import format_age
from app.web.listings import (
    Filter,
    ListAddress,
    bounded_text,
    read_flag,
    read_words,
    total_text,
)

CITIES = ListAddress(
    "cities.list_cities",
    CityListing,
    {
        "search": Filter("q", read_words(SEARCH_LENGTH)),
        "province": Filter("province", bounded_text(TEXT_LENGTH)),
        "flawed": Filter("flawed", read_flag),
        "no_province": Filter("no_province", read_flag),
    },
)

# The time in a cached list whose text is how long ago it was.
AGE = re.compile('<time data-age datetime="([^"]+)"[^>]*>')
# Whatever may change how a list is drawn.
SOURCES = ("app/**/*.py", "templates/**/*.html", "translations/*/LC_MESSAGES/*.mo")


@functools.cache
def source_hash() -> str:
    """A digest of code, templates and translations, so that no worker shows what one of another
    release has drawn."""
    found = hashlib.sha256()
    for path in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        found.update(path.read_bytes())
    return found.hexdigest()[:12]


@dataclass(frozen=True)
class Facts:
    """What the top of every list says about the register."""

    total: cache.Totals
    provinces: list[str]
    flawed: bool

    @property
    def known_total(self) -> int | None:
        """None if it took too long to count."""
        return self.total.cities if self.total.is_known else None


def list_content(actor: Actor, listing: CityListing, cursor: Cursor) -> Markup:
    """The content of the list's page; without a query if it is cached. The list of one province
    also shows facts about the whole register: it is cached for these facts, so it is the same
    after a change of another province that leaves them as they are."""
    check_reader(actor)
    facts = register_facts(actor) if listing.parts else None
    address = [
        asdict(listing),
        write_cursor(cursor),
        str(get_locale()),
        actor.may_write,
        static_files.content_hash(),
        source_hash(),
        facts and (facts.provinces, facts.flawed),
    ]
    content = cache.get_or_compute(
        f"list:{digest(address)}",
        str,
        lambda: draw_list(actor, listing, cursor, facts or register_facts(actor)),
        is_search=bool(listing.search),
        parts=listing.parts,
    )
    # Our own template made it, and escaped what it shows.
    return Markup(content if listing.is_filtered else AGE.sub(fill_age, content, 1))  # noqa: S704


def fill_age(found: re.Match[str]) -> str:
    return f"{found[0]}{escape(format_age(datetime.fromisoformat(found[1])))}"


def digest(value: object) -> str:
    """A short text for a key in Redis."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:32]


def register_facts(actor: Actor) -> Facts:
    check_reader(actor)
    return cache.get_or_compute(
        "facts",
        Facts,
        lambda: Facts(cache.count_cities(), queries.list_provinces(), queries.has_flawed()),
    )


def draw_list(actor: Actor, listing: CityListing, cursor: Cursor, facts: Facts) -> str:
    hits = cached_hits(actor, listing) if listing.is_filtered else None
    total = hits.total if hits else facts.known_total
    page = queries.select_page(actor, listing, cursor, total, hits)
    formatter = RowFormatter()
    template = current_app.jinja_env.get_template("cities/_list.html")
    return template.render(
        listing=listing,
        list=CITIES.show(listing, page, total, [*map(formatter.write, page.rows)]),
        counted=total_text(total, cache.LARGE if hits is None else 0),
        counted_at=None if hits else facts.total.counted_at,
        exactly=formatter.write_exactly,
        facts=facts,
        may_write=actor.may_write,
        site_zone=settings().time_zone,
        formats=FORMATS,
        province=find_province(facts, listing.province),
        choices=[] if page.rows else find_choices(actor, listing.province),
        search_length=SEARCH_LENGTH,
        province_length=TEXT_LENGTH,
        provinces_most=queries.PROVINCES_MOST,
    )


def cached_hits(actor: Actor, listing: CityListing) -> Hits:
    """What the filters find: read once for all pages and orders of a search."""
    key = digest(asdict(replace(CityListing(), **{f: getattr(listing, f) for f in CITIES.filters})))
    return cache.get_or_compute(
        f"hits:{key}", Hits, lambda: queries.find_hits(actor, listing), parts=listing.parts
    )


def find_choices(actor: Actor, province: str) -> list[str]:
    """The provinces that may be meant by a name that none has."""
    if not province or has_province(province):
        return []
    # The list now depends on all names of provinces, because what it is computed from does.
    return suggest_provinces(actor, province)


def find_province(facts: Facts, wanted: str) -> str:
    """The name under which the list of provinces has the one that is wanted, however that is
    written."""
    key = province_same(wanted)
    return next((name for name in facts.provinces if key and province_same(name) == key), wanted)
