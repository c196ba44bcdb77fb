"""What a file may be called: rules on plain values, the same for pages, scripts and commands."""

import unicodedata
from dataclasses import dataclass

from flask_babel import gettext as _

from app.errors import Invalid
from app.files.models import FOLDER_LENGTH, NAME_LENGTH

# They turn the direction of what is written around them, so that "gpj.exe" could read "exe.jpg".
BIDI_CONTROLS = frozenset(
    "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)


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
    name = unicodedata.normalize("NFC", sent)
    if any(is_control(character) for character in name):
        raise Invalid(_("A name has no control characters."))
    name = name.strip()
    if name in (".", ".."):
        raise Invalid(_("“%(name)s” is not a name.", name=name))
    if "/" in name or "\\" in name:
        raise Invalid(_("A name has no slash and no backslash."))
    while name != (shorter := name.rstrip(".").rstrip()):
        name = shorter
    if not name:
        raise Invalid(_("A file needs a name."))
    if len(name) > NAME_LENGTH:
        raise Invalid(_("A name has at most %(n)d characters.", n=NAME_LENGTH))
    return name


def clean_path(sent: str, with_folder: bool = False) -> CleanPath:
    """A sent name, or with `with_folder` a path with slashes whose parts each are names."""
    parts = sent.split("/") if with_folder else [sent]
    names = [clean_name(part) for part in parts]
    folder = "/".join(names[:-1])
    if len(folder) > FOLDER_LENGTH:
        raise Invalid(_("The path of a folder has at most %(n)d characters.", n=FOLDER_LENGTH))
    changed = names != [unicodedata.normalize("NFC", part) for part in parts]
    return CleanPath(folder, names[-1], changed)


def is_control(character: str) -> bool:
    """Controls, half characters, the separators of lines, and what turns the direction."""
    category = unicodedata.category(character)
    return category in ("Cc", "Cs", "Zl", "Zp") or character in BIDI_CONTROLS


def printable(text: str) -> str:
    """A name that was refused, as one line: its controls are shown as codes."""
    return "".join(c if not is_control(c) else c.encode("unicode_escape").decode() for c in text)
