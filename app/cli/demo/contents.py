"""The contents of the demo's files, drawn and written when it starts, the same each time: pictures,
charts, PDFs, tables, notes, a sound. Nothing is shipped, and nothing is anybody else's."""

import csv
import io
import json
import math
import random
import wave
from collections.abc import Sequence

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]
Figures = Sequence[tuple[str, int]]  # names and numbers

SIZE = (960, 640)
# Sky above, sky at the horizon, hills, water.
LIGHTS: tuple[tuple[Colour, Colour, Colour, Colour], ...] = (
    ((94, 148, 196), (222, 232, 232), (62, 92, 84), (86, 128, 148)),
    ((58, 70, 118), (240, 168, 120), (48, 46, 66), (104, 88, 112)),
    ((140, 160, 176), (214, 216, 214), (84, 98, 100), (126, 142, 148)),
    ((20, 30, 58), (72, 96, 130), (18, 24, 36), (30, 44, 66)),
)
GREEN, LINE, INK = (11, 106, 104), (228, 225, 218), (29, 38, 48)


def blend(one: Colour, other: Colour) -> Image.Image:
    """A gradient from the top to the bottom."""
    mask = Image.linear_gradient("L").resize(SIZE)
    return Image.composite(Image.new("RGB", SIZE, other), Image.new("RGB", SIZE, one), mask)


def ridge(chance: random.Random, height: int, rough: int) -> list[tuple[float, float]]:
    """The outline of hills whose feet are at the bottom of the picture."""
    waves = [(chance.uniform(0.5, 4), chance.uniform(0, 6)) for _ in range(4)]
    tops = [
        height
        - sum(rough / (i + 1) * math.sin(x / 960 * 6 * k + p) for i, (k, p) in enumerate(waves))
        for x in range(0, SIZE[0] + 8, 8)
    ]
    return [(0, SIZE[1]), *((8 * i, top) for i, top in enumerate(tops)), SIZE]


def landscape(seed: int) -> Image.Image:
    """A harbour: sky, sun, hills, water with its glitter, a boat."""
    chance = random.Random(seed)  # noqa: S311 - a picture
    above, horizon, hills, water = LIGHTS[seed % len(LIGHTS)]
    picture = blend(above, horizon)
    draw = ImageDraw.Draw(picture)
    x, y = chance.randint(120, 840), chance.randint(90, 250)
    draw.ellipse((x - 34, y - 34, x + 34, y + 34), fill=(255, 244, 214))
    for step in range(3):
        shade = tuple(
            int(a + (b - a) * (2 - step) / 3) for a, b in zip(hills, horizon, strict=True)
        )
        draw.polygon(ridge(chance, 300 + 44 * step, 34), fill=shade)
    draw.rectangle((0, 430, *SIZE), fill=water)
    for _glitter in range(420):
        left, top = chance.randint(0, 960), chance.randint(434, 640)
        light = chance.randint(8, 46)
        colour = tuple(min(255, part + light) for part in water)
        draw.line((left, top, left + (top - 420) // 6 + 6, top), fill=colour, width=2)
    bow = chance.randint(160, 700)
    draw.polygon(
        [(bow, 470), (bow + 120, 470), (bow + 98, 494), (bow + 18, 494)], fill=(40, 34, 36)
    )
    draw.polygon([(bow + 58, 464), (bow + 58, 384), (bow + 112, 464)], fill=(246, 240, 228))
    return picture


def photo(seed: int) -> bytes:
    """A picture as a camera would have made it."""
    return encoded(landscape(seed), "JPEG", quality=82)


def encoded(picture: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def chart(figures: Figures) -> bytes:
    """Bars without words, the longest first, as a PNG."""
    picture = Image.new("RGB", (720, 36 * len(figures) + 24), (255, 255, 255))
    draw = ImageDraw.Draw(picture)
    most = max(number for _name, number in figures)
    for place, (_name, number) in enumerate(figures):
        top = 18 + 36 * place
        draw.rounded_rectangle((20, top, 700, top + 20), 4, fill=LINE)
        draw.rounded_rectangle((20, top, 28 + 672 * number // most, top + 20), 4, fill=GREEN)
    return encoded(picture, "PNG")


def map_of(seed: int) -> bytes:
    """An imagined map with contour lines, as a PNG."""
    chance = random.Random(seed)  # noqa: S311 - a picture
    centres = [
        (chance.randint(0, 640), chance.randint(0, 480), chance.uniform(60, 170)) for _ in range(5)
    ]
    picture = Image.new("RGB", (640, 480), (250, 249, 246))
    draw = ImageDraw.Draw(picture)
    for x, y, size in centres:
        for level in range(6, 0, -1):
            radius = size * level / 6
            shade = 236 - 9 * (6 - level)
            box = (x - radius * 1.3, y - radius, x + radius * 1.3, y + radius)
            draw.ellipse(
                box, outline=(150, 170, 150), fill=(shade - 12, shade, shade - 18), width=1
            )
    draw.line(
        [(0, 300), (160, 262), (330, 320), (480, 250), (640, 276)], fill=(110, 160, 190), width=7
    )
    return encoded(picture, "PNG")


def document(title: str, lines: Sequence[str], figures: Figures = ()) -> bytes:
    """A PDF of one page: a title, lines of text in Helvetica, bars with numbers."""
    text = ["BT /F1 22 Tf 60 770 Td", f"({escaped(title)}) Tj", "/F1 11 Tf 0 -20 Td"]
    for line in lines:
        text.append(f"0 -17 Td ({escaped(line)}) Tj")
    text.append("ET")
    most = max([number for _name, number in figures], default=1)
    for place, (name, number) in enumerate(figures):
        y = 690 - 17 * len(lines) - 26 * place
        text.append(f"0.04 0.42 0.41 rg 190 {y} {max(2, 300 * number // most)} 14 re f 0 g")
        text.append(f"BT /F1 10 Tf 60 {y + 3} Td ({escaped(name)}) Tj ET")
        text.append(f"BT /F1 10 Tf 500 {y + 3} Td ({number:,}) Tj ET")
    content = "\n".join(text).encode("latin-1")
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
        b"/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
    ]
    return as_pdf(objects)


def escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def as_pdf(objects: Sequence[bytes]) -> bytes:
    """A PDF file of these objects, with its table of their places."""
    out, places = bytearray(b"%PDF-1.4\n"), []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj%s\nendobj\n" % (number, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer<</Size %d/Root 1 0 R>>\n" % (len(objects) + 1)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """A CSV file as Excel reads it."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([head, *rows])
    return out.getvalue().encode("utf-8-sig")


def geojson(names: Sequence[str]) -> bytes:
    """Points with names, somewhere near a coast."""
    chance = random.Random(9)  # noqa: S311 - a sample
    features = [
        {
            "type": "Feature",
            "properties": {"name": name},
            "geometry": {
                "type": "Point",
                "coordinates": [
                    round(chance.uniform(113, 115), 4),
                    round(chance.uniform(22, 23), 4),
                ],
            },
        }
        for name in names
    ]
    data = {"type": "FeatureCollection", "features": features}
    return json.dumps(data, ensure_ascii=False, indent=1).encode()


def bell() -> bytes:
    """Two seconds of a harbour bell, as a WAV file."""
    rate, out = 8000, io.BytesIO()
    samples = bytearray()
    for n in range(2 * rate):
        t = n / rate
        tone = sum(math.sin(2 * math.pi * f * t) / k for k, f in enumerate((440, 884, 1190), 1))
        samples.append(128 + int(60 * tone / 1.84 * math.exp(-2.2 * t)))
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(1)
        sound.setframerate(rate)
        sound.writeframes(bytes(samples))
    return out.getvalue()


def plan() -> bytes:
    """A plan of the harbour, as SVG."""
    piers = "".join(
        f'<rect x="{60 + 90 * n}" y="120" width="26" height="{110 + 14 * n}" fill="#0b6a68"/>'
        for n in range(5)
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 360">'
        '<rect width="560" height="360" fill="#dce8ea"/>'
        '<rect width="560" height="120" fill="#e4e1da"/>'
        f"{piers}</svg>\n"
    ).encode()
