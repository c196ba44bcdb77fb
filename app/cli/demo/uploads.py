"""What the people of the demo upload: 60 files in folders, some of them more than once."""

from collections.abc import Iterator, Sequence
from itertools import islice

from app.cities.fields import Values
from app.cli.demo import contents

File = tuple[str, bytes]  # path and content
# Those with the most cities among the samples.
PROVINCES = ("广东", "江苏", "山东", "浙江", "河南", "四川", "湖北", "湖南", "福建", "安徽")
LATIN = ("Guangdong", "Jiangsu", "Shandong", "Zhejiang", "Henan", "Sichuan")
STATIONS = ("North mole", "South mole", "Fish market", "Ferry pier", "Old lighthouse")
NOTES = {
    "monday.txt": "Monday, wind 3 from the south-east. The harbour is clear, 河水很清。\n",
    "tuesday.txt": "Tuesday, fog until ten. Visibility at the north mole: 40 m.\n",
    "wednesday.txt": "Wednesday. Two new marks at the ferry pier, see the map of sheet 3.\n",
    "thursday.md": "# Thursday\n\n- Gauge read at 6:40 and 18:55\n- Photos 9 to 12 are of today\n",
    "friday.md": "# Friday\n\nThe old lighthouse is closed; its key is with Wei.\n",
    "周末.txt": "周末：北堤测点已重新标定，照片见 harbour 文件夹。\n",
}
READ_ME = """# Survey of the harbour

Photos are in `harbour`, sheets of the map in `maps`, notes of each day in `notes`.
照片在 harbour，地图分幅在 maps，每日记录在 notes。
"""
MINUTES = {
    "kick-off.md": "# Kick-off\n\nAda, Lin and Wei. Names of cities as the bureau writes them.\n",
    "numbers.md": "# Numbers\n\nUsers are counted on the first of the month, at midnight.\n",
    "周会.md": "# 周会\n\n1. 各省人数核对完毕\n2. 港口测量下周三结束\n",
    "checklist.txt": "names checked\nnumbers checked\nremoved what was closed\n",
}


def harbour(first: int, last: int) -> Iterator[File]:
    """Photos of the harbour, by their numbers."""
    for number in range(first, last + 1):
        yield f"survey/harbour/harbour-{number:02}.jpg", contents.photo(number)


def survey() -> Iterator[File]:
    """The rest of the survey: maps, notes, a plan, points, a sound."""
    yield "survey/read me.md", READ_ME.encode()
    for sheet in range(1, 7):
        yield f"survey/maps/sheet {sheet}.png", contents.map_of(sheet)
    for name, text in NOTES.items():
        yield f"survey/notes/{name}", text.encode()
    yield "survey/plan of the piers.svg", contents.plan()
    yield "survey/stations.geojson", contents.geojson(STATIONS)
    yield (
        "survey/gauge.csv",
        contents.table(
            ("hour", "level in cm"), [(hour, 180 + (hour * 37) % 90) for hour in range(24)]
        ),
    )
    yield "survey/harbour bell.wav", contents.bell()


def tables(cities: Sequence[Values]) -> Iterator[File]:
    """The cities of some provinces, a table for each."""
    for province in PROVINCES:
        rows = [(c["city"], c["users"]) for c in cities if c["province"] == province]
        yield f"tables/{province}.csv", contents.table(("cityname", "usernumber"), rows)


def charts(cities: Sequence[Values]) -> Iterator[File]:
    for name, province in islice(zip(LATIN, PROVINCES, strict=False), 4):
        yield f"tables/charts/{name}.png", contents.chart(figures(cities, province))


def figures(cities: Sequence[Values], province: str) -> list[tuple[str, int]]:
    """The largest cities of a province."""
    found = [(str(c["city"]), int(c["users"] or 0)) for c in cities if c["province"] == province]
    return found[:8]


def minutes() -> Iterator[File]:
    for name, text in MINUTES.items():
        yield f"minutes/{name}", text.encode()


def reports(cities: Sequence[Values]) -> Iterator[File]:
    """A report for each of some provinces, and one of the survey."""
    for name, province in zip(LATIN, PROVINCES, strict=False):
        bars = [(f"Place {place}", n) for place, (_, n) in enumerate(figures(cities, province), 1)]
        lines = ["Users of the largest cities, as counted on the first of the month."]
        yield f"reports/{name}.pdf", contents.document(f"Report on {name}", lines, bars)
    yield report(1)


def report(draft: int) -> File:
    """The report of the survey, which grows from draft to draft."""
    lines = [f"Station {n}: {name}, checked" for n, name in enumerate(STATIONS[: draft + 2], 1)]
    heights = [(name, 210 + 31 * n) for n, name in enumerate(STATIONS[: draft + 2])]
    return "reports/报告 (终稿).pdf", contents.document("Harbour survey", lines, heights)


def desk() -> Iterator[File]:
    """What lies in no folder."""
    yield "read me first.md", b"# Welcome\n\nEverything here was made for this demo.\n"
    yield "harbour.jpg", contents.photo(41)
    yield "office.jpg", contents.photo(42)
    yield "sheet 0.png", contents.map_of(7)
    yield "budget.csv", contents.table(("item", "2026"), [("boats", 4200), ("marks", 880)])
    yield "联系人.csv", contents.table(("姓名", "电话"), [("林", "1001"), ("魏", "1002")])


def mistakes() -> Iterator[File]:
    """What is removed again."""
    yield "tables/旧数据.csv", contents.table(("cityname", "usernumber"), [("深圳市", 1)])
    yield "draft.txt", b"To be removed.\n"
    yield "survey/harbour/blurred.jpg", contents.photo(99)


def corrected() -> bytes:
    """A table that was uploaded before with other numbers."""
    rows = [("深圳市", 17_494_398), ("广州市", 16_096_724), ("东莞市", 9_644_871)]
    return contents.table(("cityname", "usernumber"), rows)


def new_view() -> bytes:
    return contents.photo(45)
