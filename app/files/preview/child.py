"""The program that reads what people uploaded. It runs in a process of its own, away from the
application and its secrets, and uses the standard library and Pillow only.

    python -I child.py picture KIND SIZE    writes the picture in a small size, as WebP
    python -I child.py pdf                  looks for JavaScript in a document

The file is the standard input. Status 0: the output is the result. Status REFUSED: it is a problem,
as JSON. Whatever else ends the process, such as one of its limits, is too much for a preview.
"""

import errno
import json
import mmap
import re
import runpy
import sys
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

REFUSED = 3
MOST_PIXELS = 40_000_000
# For 40 megapixels with transparency, of which Pillow makes a copy.
MEMORY = 800 << 20
CPU_SECONDS, WALL_SECONDS = 10, 20
OUTPUT_BYTES = 16 << 20
QUALITY = 80
SQUARE = 64  # up to this size a picture is cut to a square without transparency, for lists
ORIENTATION = 0x0112  # the number of the entry in EXIF data


own = runpy.run_path(str(Path(__file__).with_name("limits.py")))
Refusal, answer, open_nothing_more = own["Refusal"], own["answer"], own["open_nothing_more"]


def limit_self() -> None:
    """Give up what a small picture does not need."""
    own["limit_self"](MEMORY, CPU_SECONDS, WALL_SECONDS, OUTPUT_BYTES)


def shrink(kind: str, size: int) -> bytes:
    """The picture on the standard input in a small size: first frame, upright, without metadata."""
    from PIL import Image

    decoder = load_decoder(kind)
    warm_up(kind, decoder)
    # Above twice this number Pillow raises the error below.
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS // 2
    open_nothing_more()
    try:
        return make_small(decoder(sys.stdin.buffer), size)
    except Image.DecompressionBombError as error:
        found = re.search(r"\d+", str(error))
        raise Refusal("too_large", pixels=int(found[0]) if found else 0) from None
    except MemoryError:
        raise Refusal("too_complex") from None
    except Refusal:
        raise
    except Exception as error:  # decoders raise errors of many classes
        if isinstance(error, OSError) and error.errno == errno.EMFILE:
            raise  # a module is missing: our fault, not that of the picture
        raise Refusal("damaged") from None


def load_decoder(kind: str) -> Any:
    """The only decoder for a kind, so that none of the others can be reached."""
    from PIL import BmpImagePlugin, GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    decoders = {
        "bmp": BmpImagePlugin.BmpImageFile,
        "gif": GifImagePlugin.GifImageFile,
        "jpeg": JpegImagePlugin.JpegImageFile,
        "png": PngImagePlugin.PngImageFile,
        "webp": WebPImagePlugin.WebPImageFile,
    }
    return decoders[kind]


def warm_up(kind: str, decoder: Any) -> None:
    """Do it once with a picture of ours, which loads every module that is needed: later none can
    be."""
    from PIL import Image, ImageCms

    exif = Image.Exif()
    exif[ORIENTATION] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    sample = BytesIO()
    Image.new("RGB", (2, 2)).save(sample, kind, exif=exif.tobytes(), icc_profile=profile)
    for size in (SQUARE, SQUARE + 1):
        make_small(decoder(BytesIO(sample.getvalue())), size)


def make_small(image: Any, size: int) -> bytes:
    """All the steps from an opened picture to a small one."""
    check_size(image.width * image.height)
    return as_webp(upright(in_srgb(resized(image, size)), image), size)


def check_size(pixels: int) -> None:
    """Refuse a picture by what its header says, before it is decoded."""
    if pixels > MOST_PIXELS:
        raise Refusal("too_large", pixels=pixels)


def resized(image: Any, size: int) -> Any:
    """The picture within a square of this size; one for a list is cut to fill the square."""
    from PIL.Image import Resampling

    if size <= SQUARE:
        image.draft(None, (2 * size, 2 * size))  # JPEG is decoded in a smaller size at once
        side = min(image.size)
        left, top = (image.width - side) // 2, (image.height - side) // 2
        box, target = (left, top, left + side, top + side), (min(size, side),) * 2
    else:
        image.draft(None, scaled(image.size, 2 * size))
        box, target = (0, 0, *image.size), scaled(image.size, size)
    return resizable(image).resize(target, Resampling.LANCZOS, box=box, reducing_gap=2.0)


def scaled(size: tuple[int, int], most: int) -> tuple[int, int]:
    """Width and height in proportion, at most `most`, and not larger than they are."""
    width, height = size
    scale = min(1.0, most / max(size))
    return max(1, round(width * scale)), max(1, round(height * scale))


def resizable(image: Any) -> Any:
    """The picture in a mode in which colours can be mixed."""
    if image.mode in ("L", "RGB", "RGBA", "LA", "CMYK") and "transparency" not in image.info:
        return image
    if "transparency" in image.info or image.mode in ("PA", "La", "RGBa"):
        return image.convert("RGBA")
    if image.mode.startswith(("I", "F")):  # 16 bits
        return image.point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("RGB")


def in_srgb(image: Any) -> Any:
    """The picture in the colours of the web, if it says which colours it has."""
    from PIL import ImageCms

    profile = image.info.get("icc_profile")
    mode = "RGBA" if image.mode in ("RGBA", "LA") else "RGB"
    if profile and image.mode in ("RGB", "RGBA", "CMYK"):
        with suppress(ImageCms.PyCMSError, OSError, ValueError, TypeError):
            given = ImageCms.ImageCmsProfile(BytesIO(profile))
            wanted = ImageCms.createProfile("sRGB")
            changed = ImageCms.profileToProfile(image, given, wanted, outputMode=mode)
            return changed or image
    return image.convert(mode)


def upright(small: Any, image: Any) -> Any:
    """The small picture turned as the camera noted in the original."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT,
        3: Transpose.ROTATE_180,
        4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE,
        6: Transpose.ROTATE_270,
        7: Transpose.TRANSVERSE,
        8: Transpose.ROTATE_90,
    }
    try:
        noted = image.getexif().get(ORIENTATION)
    except Exception:  # damaged metadata alone is no reason to refuse a picture
        noted = None
    return small.transpose(turns[noted]) if noted in turns else small


def as_webp(image: Any, size: int) -> bytes:
    """A new picture of these pixels and of nothing else."""
    from PIL import Image

    if size <= SQUARE:
        clean = Image.new("RGB", image.size, "white")
        clean.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    else:
        clean = Image.new(image.mode, image.size)
        clean.paste(image)
    buffer = BytesIO()
    clean.save(buffer, "WEBP", quality=QUALITY)
    return buffer.getvalue()


def check_pdf() -> bytes:
    """Refuse a document that contains JavaScript, which viewers run, and one that cannot be
    checked."""
    find_problem = runpy.run_path(str(Path(__file__).with_name("documents.py")))["find_problem"]
    with mmap.mmap(0, 0, access=mmap.ACCESS_READ) as data:
        problem = find_problem(data, open_nothing_more)
    if problem:
        raise Refusal(problem)
    return b""


def main(task: str, *words: str) -> int:
    limit_self()
    try:
        answer(shrink(words[0], int(words[1])) if task == "picture" else check_pdf())
    except Refusal as refusal:
        answer(json.dumps(refusal.report).encode())
        return REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
