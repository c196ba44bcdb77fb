"""The child process: what it makes of pictures and documents, what it refuses, and its limits."""

import json
import signal
import struct
import time
import zlib
from io import BytesIO

import pytest
from PIL import Image, ImageCms, PngImagePlugin

from app.children import run
from app.files.preview.child import MOST_PIXELS, REFUSED
from app.files.preview.results import PROGRAM
from tests.files.helpers import GIF, PNG, _chunk
from tests.files.preview.helpers import (
    ACTION,
    TRICKS,
    decoded,
    encoded,
    is_red,
    pdf,
    photograph,
    predicted,
    predictor,
)

SECONDS = 60  # of a busy machine


@pytest.fixture
def child(tmp_path):
    """Runs the child over some bytes; returns its status and its output."""

    def run_child(data, *words):
        (tmp_path / "source").write_bytes(data)
        with (tmp_path / "source").open("rb") as source, (tmp_path / "out").open("w+b") as target:
            status = run(PROGRAM, words, source, target, SECONDS)
            target.seek(0)
            return status, target.read()

    return run_child


@pytest.fixture
def shrink(child):
    """The picture that the child makes of some bytes."""

    def shrink(data, kind="png", size=1200):
        status, output = child(data, "picture", kind, str(size))
        assert status == 0, output
        picture = decoded(output)
        assert picture.format == "WEBP"
        return picture

    return shrink


@pytest.fixture
def problem(child):
    """What the child says of a file of which it makes nothing."""

    def problem(data, *words):
        status, output = child(data, *words)
        assert status == REFUSED, output
        return json.loads(output)

    return problem


def ended(child, data, *words):
    """The child does not end well; returns its status."""
    status, _output = child(data, *words)
    assert status != 0
    return status


@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("PNG", "RGB", {}), ("PNG", "RGBA", {}), ("PNG", "P", {}), ("PNG", "LA", {}),
        ("JPEG", "RGB", {}), ("JPEG", "CMYK", {}), ("JPEG", "RGB", {"progressive": True}),
        ("GIF", "P", {}), ("WEBP", "RGB", {}), ("WEBP", "RGBA", {"lossless": True}),
        ("BMP", "RGB", {}),
    ],
)  # fmt: skip
def test_pictures_of_every_kind_are_made_again(shrink, kind, mode, options):
    data = encoded(photograph(2400, 1600, mode), kind, **options)
    picture = shrink(data, kind.lower())
    assert picture.size == (1200, 800)
    if mode != "LA":  # which has no colours
        assert is_red(picture.convert("RGB").getpixel((100, 100)))
        assert not is_red(picture.convert("RGB").getpixel((1000, 700)))


def test_a_small_picture_is_not_enlarged(shrink):
    assert shrink(encoded(photograph(30, 20), "PNG")).size == (30, 20)
    assert shrink(PNG).size == (1, 1)
    assert shrink(encoded(photograph(1, 3000), "PNG")).size == (1, 1200)


def test_a_picture_for_a_list_is_a_square_without_transparency(shrink):
    picture = shrink(encoded(photograph(300, 100), "PNG"), size=64)
    assert (picture.size, picture.mode) == ((64, 64), "RGB")
    clear = Image.new("RGBA", (100, 100), (0, 0, 0, 0))
    assert shrink(encoded(clear, "PNG"), size=64).getpixel((5, 5)) == (255, 255, 255)
    assert shrink(encoded(photograph(10, 3000), "PNG"), size=64).size == (10, 10)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_turned_as_the_camera_noted(shrink, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(photograph(600, 400), "JPEG", exif=exif)
    picture = shrink(data, "jpeg")
    expected = {1: (10, 10), 2: (-10, 10), 3: (-10, -10), 4: (10, -10),
                5: (10, 10), 6: (-10, 10), 7: (-10, -10), 8: (10, -10)}  # fmt: skip
    x, y = expected[orientation]
    assert picture.size == ((600, 400) if orientation < 5 else (400, 600))
    assert is_red(picture.getpixel((x % picture.width, y % picture.height)))


def test_nothing_but_pixels_is_in_the_result(child):
    exif = Image.Exif()
    exif[0x010E] = "SECRET PLACE"
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = encoded(photograph(), "JPEG", exif=exif, comment=b"SECRET COMMENT", icc_profile=profile)
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Author", "SECRET AUTHOR")
    png = encoded(photograph(mode="RGBA"), "PNG", pnginfo=notes, exif=exif, icc_profile=profile)
    assert data.count(b"SECRET") == 2
    assert png.count(b"SECRET") == 2
    for source, kind in ((data, "jpeg"), (png, "png")):
        status, output = child(source, "picture", kind, "1200")
        assert status == 0
        found = decoded(output)
        assert b"SECRET" not in output
        assert not {"exif", "icc_profile", "xmp"} & set(found.info)
        assert {b"EXIF", b"ICCP", b"XMP "} & set(chunks(output)) == set()


def chunks(webp):
    """The names of the chunks of a WebP file."""
    place = 12
    while place < len(webp):
        name, length = struct.unpack("<4sI", webp[place : place + 8])
        yield name
        place += 8 + length + length % 2


def test_sixteen_bits_and_colour_profiles_are_converted(shrink):
    grey = shrink(encoded(Image.new("I;16", (50, 50), 40000), "PNG"))
    assert abs(grey.convert("L").getpixel((5, 5)) - 156) < 4
    swapped = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    wrong = encoded(photograph(), "PNG", icc_profile=swapped)
    assert is_red(shrink(wrong).getpixel((5, 5)))
    assert is_red(shrink(encoded(photograph(), "PNG", icc_profile=b"nonsense")).getpixel((5, 5)))


def test_of_an_animation_the_first_frame_is_shown(shrink):
    first, other = photograph(60, 60), Image.new("RGB", (60, 60), "green")
    frames = [other] * 10_000
    animation = encoded(first, "GIF", save_all=True, append_images=[*frames[:9], photograph()])
    # The same frame again and again, without end in between.
    start, frame = animation[:-1], animation[animation.rindex(b"\x21\xf9") : -1]
    assert is_red(shrink(start + frame * 10_000 + b";", "gif").convert("RGB").getpixel((5, 5)))
    moving = encoded(first, "WEBP", save_all=True, append_images=[other] * 5)
    assert is_red(shrink(moving, "webp").convert("RGB").getpixel((5, 5)))


def header_of(width, height):
    """A PNG that says how large it is, with hardly any content."""
    size = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    content = _chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size) + content + _chunk(b"IEND", b"")


def test_a_picture_of_too_many_pixels_is_refused_by_its_header(problem):
    begun = time.monotonic()
    found = problem(header_of(30_000, 30_000), "picture", "png", "64")
    assert found == {"problem": "too_large", "pixels": 900_000_000}
    assert problem(header_of(2**31 - 1, 2**31 - 1), "picture", "png", "64")["pixels"] > 2**61
    wide = encoded(Image.new("RGB", (10, 10)), "WEBP", lossless=True)
    # 16,384 by 16,384, the largest size that this kind of header can say.
    wide = wide[:21] + struct.pack("<I", 0x0FFFFFFF) + wide[25:]
    assert problem(wide, "picture", "webp", "64") == {"problem": "too_large", "pixels": 2**28}
    gif = GIF[:6] + struct.pack("<HH", 65_535, 65_535) + GIF[10:]
    assert problem(gif, "picture", "gif", "64")["problem"] == "too_large"
    assert time.monotonic() - begun < SECONDS


def test_the_largest_picture_is_made_within_the_limits(shrink):
    image = Image.new("RGBA", (8000, MOST_PIXELS // 8000), (255, 0, 0, 128))
    assert shrink(encoded(image, "PNG", compress_level=1)).size == (1200, 750)


def test_a_bomb_of_ordinary_size_ends_early(problem):
    """Its header says 40 megapixels; packed, it is ten thousand times as much."""
    size = struct.pack(">IIBBBBB", 8000, 5000, 8, 2, 0, 0, 0)
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1500)) + packer.flush()
    bomb = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size)
    bomb += _chunk(b"zTXt", b"a\0\0" + packed) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")
    assert problem(bomb, "picture", "png", "64")["problem"] == "damaged"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"", "png"), (PNG[:40], "png"), (b"\x89PNG\r\n\x1a\n", "png"),
        (encoded(photograph(800, 800), "JPEG")[:3000], "jpeg"), (b"\xff\xd8\xff\xe0", "jpeg"),
        (encoded(photograph(), "TIFF"), "png"), (encoded(photograph(), "TIFF"), "jpeg"),
        (b"8BPS\0\1" + bytes(100), "png"), (b"%!PS-Adobe-3.0 EPSF-3.0\n", "gif"),
        (b"GIF89a" + bytes(30), "gif"), (b"RIFF\xff\xff\xff\xffWEBPVP8 " + bytes(40), "webp"),
        (b"BM" + bytes(60), "bmp"), (encoded(photograph(), "ICO"), "bmp"),
    ],
)  # fmt: skip
def test_what_is_no_picture_of_its_kind_is_damaged(problem, data, kind):
    assert problem(data, "picture", kind, "64") == {"problem": "damaged"}


def test_the_limits_end_a_child(tmp_path):
    """One that works without end, one that takes all memory, one that opens a connection."""
    from app.files.preview import child

    def run_own(work):
        program = tmp_path / "own.py"
        program.write_text(
            f"import sys\nsys.path.insert(0, {str(PROGRAM.parent)!r})\nimport child\n"
            f"child.CPU_SECONDS = 1\nchild.limit_self()\nimport socket\n"
            f"child.open_nothing_more()\n{work}\n"
        )
        with (tmp_path / "x").open("w+b") as out, program.open("rb") as source:
            status = run(program, (), source, out, SECONDS)
            out.seek(0)
            return status, out.read().decode()

    assert child.CPU_SECONDS > 1
    status, _said = run_own("while True: pass")
    assert status == -signal.SIGXCPU, "not one that others send"
    assert "MemoryError" in run_own("bytearray(2_000_000_000)")[1]
    for work in ("socket.socket()", "open('/etc/hosts')", "import xml.dom", "import os; os.pipe()"):
        assert "Too many open files" in run_own(work)[1], work
    assert run_own("print('alive')") == (0, "alive\n")


def test_a_child_without_an_end_is_killed(tmp_path):
    program = tmp_path / "sleep.py"
    program.write_text("import time\ntime.sleep(1000)\n")
    begun = time.monotonic()
    with program.open("rb") as source, (tmp_path / "out").open("w+b") as target:
        assert run(program, (), source, target, 0.5) is None
    assert time.monotonic() - begun < 30


def test_it_gets_no_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "top secret")
    program = tmp_path / "env.py"
    program.write_text("import os, sys\nprint(dict(os.environ), sys.path, os.getcwd())\n")
    with program.open("rb") as source, (tmp_path / "out").open("w+b") as target:
        assert run(program, (), source, target, SECONDS) == 0
        target.seek(0)
        said = target.read().decode()
    assert "top secret" not in said
    assert str(tmp_path) not in said


OUTLINES = b"/Outlines << /First 2 0 R >>"
PICTURE = b"9 0 obj\n<< /Filter /DCTDecode >>\nstream\n\xff\xd8\xff\nendstream\nendobj\n"
FONT = b"<< /Type /Font >>"
XREF = (
    b"8 0 obj\n<< /Type /XRef /W [1 2 1] /Filter /FlateDecode "
    b"/DecodeParms << /Columns 4 /Predictor 12 >> >>\nstream\n%s\nendstream\nendobj\n"
) % predicted(2, 4, 1, bytes(range(200)))


@pytest.mark.parametrize(
    "data",
    [
        pdf(), b"%PDF-1.4\n", pdf(b"/Title (JavaScript)"), pdf(packed=[FONT]),
        pdf(packed=[b"<<>>"], filters=b"/Filter [ /FlateDecode ]"),
        pdf(packed=[b"<<>>"], filters=b"/Filter [/FlateDecode /FlateDecode]"),
        pdf(packed=[b"<<>>"], filters=b"/Filter 7 0 R"),
        pdf(OUTLINES) + PICTURE, pdf(packed=[FONT]) + PICTURE,
        pdf(packed=[FONT]) + XREF + PICTURE,
        pdf(b"/Filter [/ASCII85Decode /FlateDecode]"), pdf(b"/Filter /LZWDecode"),
        pdf(b"/Encrypt 9 0 R"), pdf(packed=[FONT], filters=predictor(6, 1)),
        pdf(packed=[FONT]).replace(b"stream\nx", b"stream\n!"),
    ],
)  # fmt: skip
def test_a_document_without_scripts_is_clean(child, data):
    assert child(data, "pdf") == (0, b"")


@pytest.mark.parametrize("trick", TRICKS)
def test_a_packed_script_is_found(problem, trick):
    assert problem(TRICKS[trick], "pdf") == {"problem": "scripted"}


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (pdf(ACTION), "scripted"),
        (pdf(b"/Names << /JavaScript 9 0 R >>"), "scripted"),
        (pdf(ACTION.replace(b"/JavaScript", b"/J#61va#53cript")), "scripted"),
        (pdf(packed=[FONT], filters=b"/Filter [/ASCIIHexDecode /FlateDecode]"), "unclear"),
        (pdf(packed=[FONT], filters=b"/Filter /LZWDecode"), "unclear"),
        (pdf(packed=[FONT], filters=b"/Filter/RL"), "unclear"),
        (pdf(packed=[FONT], filters=b"/Filter 7 0 R") + b"7 0 obj /R#4c endobj", "unclear"),
        (pdf(b"/Encrypt 9 0 R", packed=[FONT]), "unclear"),
        (pdf(packed=[FONT], filters=predictor(6, 1).replace(b"12", b"2 ")), "unclear"),
        (pdf(packed=[FONT], filters=predictor(6, 1).replace(b"/Columns 6", b"/Columns 9 0 R")),
         "unclear"),
        (pdf(packed=[b"<< /Predictor 12 >>"]), "unclear"),
        (pdf(packed=[bytes(1 << 20)] * 160), "unclear"),
    ],
)  # fmt: skip
def test_a_document_that_may_run_scripts_is_refused(problem, data, expected):
    assert problem(data, "pdf") == {"problem": expected}


def test_an_empty_document_ends_without_a_result(child):
    assert ended(child, b"", "pdf") > 0


def test_a_damaged_orientation_is_no_reason_to_refuse(shrink):
    data = BytesIO()
    photograph().save(data, "JPEG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    assert is_red(shrink(data.getvalue(), "jpeg").getpixel((5, 5)))
