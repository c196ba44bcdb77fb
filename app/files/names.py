"""File names and folder paths: rules on plain values, the same for pages, scripts and commands."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import Invalid
from app.files.models import FOLDER_LENGTH, NAME_LENGTH, SENT_LENGTH, join_path
from app.text import BIDI_CONTROLS, COMPOSED_FROM, CONTROLS, N_, Message, is_blank, trim

# A folder, a slash and a name.
PATH_LENGTH = FOLDER_LENGTH + 1 + NAME_LENGTH
MOST_OF_A_NAME = 100  # files with different sent names that become the same
# In bytes of UTF-8, as file systems count: a name that is longer could not be downloaded.
NAME_TOO_LONG = N_(
    "A name can have at most %(n)d bytes: that many letters, or %(third)d Chinese characters.",
    n=NAME_LENGTH,
    third=NAME_LENGTH // 3,
)
FOLDER_TOO_LONG = N_("A folder path can have at most %(n)d characters.", n=FOLDER_LENGTH)

# A drive, and what is between the parts of a path, on any system.
DRIVE = re.compile(r"[A-Za-z]:(?=\S)")
SEPARATORS = re.compile(r"[/\\]+")


@dataclass(frozen=True)
class CleanPath:
    """A checked folder and name, and the path as it was sent, in NFC; whether characters were
    trimmed off, and whether only the last part was used."""

    folder: str
    name: str
    sent: str
    trimmed: bool = False
    shortened: bool = False

    @property
    def path(self) -> str:
        return join_path(self.folder, self.name)

    @property
    def extension(self) -> str:
        return extension_of(self.name)


def extension_of(name: str) -> str:
    """What follows the last dot, in lower case; '' without a dot."""
    return name.rpartition(".")[2].lower() if "." in name else ""


def clean_name(sent: str) -> str:
    """One name in NFC, without spaces and invisible characters at its ends and without trailing
    dots. Names with a meaning for some systems (.profile, CON) are ordinary names here."""
    check_length(sent, COMPOSED_FROM * NAME_LENGTH)
    name = unicodedata.normalize("NFC", sent)
    if any(is_control(character) for character in name):
        raise Invalid(N_("A name cannot contain control characters."))
    name = trim(name)
    if name in (".", ".."):
        raise Invalid(N_("“%(name)s” is not a valid name.", name=name))
    if "/" in name or "\\" in name:
        raise Invalid(N_("A name cannot contain slashes or backslashes."))
    while name != (shorter := trim(name.rstrip("."))):
        name = shorter
    if is_blank(name):
        raise Invalid(N_("The name is empty."))
    check_length(name.encode(), NAME_LENGTH)
    return name


def check_length(text: str | bytes, limit: int, message: Message = NAME_TOO_LONG) -> None:
    """Refuse a name or folder longer than `limit`, which is larger before it is composed to NFC.
    The message gives the limit of the composed one."""
    if len(text) > limit:
        raise Invalid(message)


def clean_path(sent: str, with_folder: bool = False, into: str = "") -> CleanPath:
    """With `with_folder` a path with slashes, each part of which is a name; otherwise a file name.
    Some clients send a path instead, of which the last part is the name. `into` is the folder, a
    checked path, in which the whole is stored."""
    if not with_folder:
        check_length(sent, SENT_LENGTH)
    parts = sent.split("/") if with_folder else [last_part(sent)]
    check_length("/".join(parts[:-1]), COMPOSED_FROM * FOLDER_LENGTH, FOLDER_TOO_LONG)
    names = [clean_name(part) for part in parts]
    folder = "/".join(filter(None, [into, *names[:-1]]))
    check_length(folder, FOLDER_LENGTH, FOLDER_TOO_LONG)
    changed = names != [unicodedata.normalize("NFC", part) for part in parts]
    shortened = not with_folder and parts != [sent]
    sent = join_path(into, unicodedata.normalize("NFC", sent))
    check_length(sent, SENT_LENGTH)
    return CleanPath(folder, names[-1], sent, changed, shortened)


def last_part(path: str) -> str:
    """The last part of a path in the notation of any system; the whole text if it has none."""
    parts = SEPARATORS.split(DRIVE.sub("", path, count=1) if DRIVE.match(path) else path)
    return next((part for part in reversed(parts) if part), path)


def numbered(name: str) -> Iterator[str]:
    """Names for files of the same name: report.pdf, report (2).pdf, report (3).pdf and so on."""
    yield name
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    for number in range(2, MOST_OF_A_NAME + 1):
        suffix = f" ({number}){dot}{extension}"
        yield cut(stem, suffix)


def cut(stem: str, suffix: str = "") -> str:
    """A name with this suffix, before which the stem is cut to the length of a name."""
    return stem.encode()[: NAME_LENGTH - len(suffix.encode())].decode(errors="ignore") + suffix


def is_control(character: str) -> bool:
    """True for control characters, surrogates, line separators and bidirectional controls."""
    return unicodedata.category(character) in CONTROLS or character in BIDI_CONTROLS


def printable(text: str) -> str:
    """A refused name on one line: control characters as escape codes, and cut to the length of the
    longest path."""
    shown = text if len(text) <= PATH_LENGTH else f"{text[: PATH_LENGTH - 1]}…"
    return "".join(c if not is_control(c) else c.encode("unicode_escape").decode() for c in shown)
