"""The rules of the register."""

import csv
import unicodedata

from sqlalchemy import insert

from app.cities.models import TEXT_LENGTH, City
from app.config import ROOT
from app.extensions import db
from app.transactions import transaction

SAMPLE = ROOT / "app" / "cities" / "sample-cities.csv"


def fold(text: str | None) -> str:
    """The form under which names are searched and sorted: NFKC and casefolded, in any case and
    width."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text or "").casefold())


def keys(province: str | None, city: str | None) -> dict[str, str]:
    """The stored keys of a city; the sort keys are cut to their column."""
    return {
        "province_key": fold(province)[:TEXT_LENGTH],
        "city_key": fold(city)[:TEXT_LENGTH],
        "search_key": f"{fold(province)}\n{fold(city)}",
    }


@transaction
def add_sample_cities() -> int:
    """Add the sample cities (GeoNames, CC BY 4.0) and return how many they are. The largest comes
    first in the file and is added last, so that it stands at the top of a new list."""
    with SAMPLE.open(encoding="utf-8-sig", newline="") as file:
        rows = [
            {
                "provincename": row["provincename"],
                "cityname": row["cityname"],
                "usernumber": int(row["usernumber"]),
                **keys(row["provincename"], row["cityname"]),
            }
            for row in csv.DictReader(line for line in file if not line.startswith("#"))
        ]
    db.session.execute(insert(City), rows[::-1])
    return len(rows)
