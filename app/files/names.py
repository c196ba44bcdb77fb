"""What a file may be called: rules on plain values, the same for pages, scripts and commands."""

import unicodedata
from dataclasses import dataclass

from flask_babel import gettext as _

from app.errors import Invalid
from app.files.models import FOLDER_LENGTH, NAME_LENGTH
from app.text import COMPOSED_FROM, CONTROLS

# They turn the direction of what is written around them, so that "gpj.exe" could read "exe.jpg".
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
# A folder, a slash and a name.
PATH_LENGTH = FOLDER_LENGTH + 1 + NAME_LENGTH


@dataclass(frozen=True)
class CleanPath:
    """A name, and the folder it came in, as they are kept; whether something was trimmed off."""

    folder: str
    name: str
    trimmed: bool = False

    @property
    def ending(self) -> str:
        """What follows the last dot, in lower case; '' when there is no dot."""
        return self.name.rpartition(".")[2].lower() if "." in self.name else ""


def clean_name(sent: str) -> str:
    """One name as it is kept: NFC, without blanks around it and dots at its end. Names that mean
    something to a system only (.profile, CON) are names like others here."""
    check_length(sent, COMPOSED_FROM * NAME_LENGTH)
    name = unicodedata.normalize("NFC", sent)
    if any(is_control(character) for character in name):
        raise Invalid(_("A file name has no control characters."))
    name = name.strip()
    if name in (".", ".."):
        raise Invalid(_("“%(name)s” is not a name.", name=name))
    if "/" in name or "\\" in name:
        raise Invalid(_("A name has no slash and no backslash."))
    while name != (shorter := name.rstrip(".").rstrip()):
        name = shorter
    if not name:
        raise Invalid(_("A file needs a name."))
    check_length(name, NAME_LENGTH)
    return name


def check_length(name: str, most: int) -> None:
    """Refuse a name longer than `most`. Asked before it is composed and at the end; what is told is
    always how long it may be in the end."""
    if len(name) > most:
        raise Invalid(_("A name has at most %(n)d characters.", n=NAME_LENGTH))


def check_folder(folder: str, most: int) -> None:
    """The same for the path of a folder."""
    if len(folder) > most:
        raise Invalid(_("The path of a folder has at most %(n)d characters.", n=FOLDER_LENGTH))


def clean_path(sent: str, with_folder: bool = False) -> CleanPath:
    """A sent name, or with `with_folder` a path with slashes whose parts each are names."""
    parts = sent.split("/") if with_folder else [sent]
    check_folder("/".join(parts[:-1]), COMPOSED_FROM * FOLDER_LENGTH)
    names = [clean_name(part) for part in parts]
    folder = "/".join(names[:-1])
    check_folder(folder, FOLDER_LENGTH)
    changed = names != [unicodedata.normalize("NFC", part) for part in parts]
    return CleanPath(folder, names[-1], changed)


def is_control(character: str) -> bool:
    """Controls, half characters, the separators of lines, and what turns the direction."""
    return unicodedata.category(character) in CONTROLS or character in BIDI_CONTROLS


def printable(text: str) -> str:
    """A name that was refused, as one line: its controls are shown as codes, and of one longer
    than any path its beginning."""
    shown = text if len(text) <= PATH_LENGTH else f"{text[: PATH_LENGTH - 1]}…"
    return "".join(c if not is_control(c) else c.encode("unicode_escape").decode() for c in shown)
