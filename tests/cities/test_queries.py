"""Who may read the register, asked of the reads themselves and not of a page."""

import pytest

from app.actor import ANONYMOUS, Actor, Role
from app.cities import services
from app.cities.exporting.queries import batches
from app.cities.listing import list_page, queries
from app.cities.listing.queries import CityListing
from app.cities.statistics.queries import read_statistics
from app.database.cursor import FIRST
from app.errors import Unauthorized
from tests.cities.conftest import add_city

READS = {
    "city": lambda actor: services.load_city(actor, 1),
    "page": lambda actor: queries.select_page(actor, CityListing()),
    "batches": lambda actor: batches(actor, CityListing()),
    "count": lambda actor: queries.find_hits(actor, CityListing(search="x")).total,
    "statistics": read_statistics,
    "list": lambda actor: list_page.list_content(actor, CityListing(), FIRST),
    "facts": list_page.register_facts,
}
VIEWER = Actor(1, "viewer", Role.VIEWER)


@pytest.mark.parametrize("name", READS)
def test_visitors_read_only_where_reading_is_open(make_app, name):
    for settings, readers in (
        ({}, [VIEWER, Actor.operator()]),
        ({"PUBLIC_READ": "1"}, [VIEWER, Actor.operator(), ANONYMOUS]),
    ):
        with make_app(**settings).test_request_context():
            if not settings:
                add_city()
                with pytest.raises(Unauthorized):
                    READS[name](ANONYMOUS)
            for reader in readers:
                READS[name](reader)
