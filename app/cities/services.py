"""The rules of the register, as verbs."""

import csv

from sqlalchemy import insert

from app.cities.models import City
from app.cities.rules import CityFields, check_city, fold, keys
from app.config import ROOT
from app.extensions import db
from app.transactions import transaction

SAMPLE = ROOT / "app" / "cities" / "sample-cities.csv"

__all__ = ["CityFields", "add_sample_cities", "check_city", "fold", "keys"]


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
