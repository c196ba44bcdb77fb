"""Names in a zip file that Windows, macOS and Linux can all use, each once in its folder."""

import re
import unicodedata
from itertools import count

from app.files.folders.paths import name_of, parent_of
from app.files.models import NAME_LENGTH

# What Windows does not allow in a name; controls cannot be in one of ours.
FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
# Devices of Windows, with any extension.
DEVICE = re.compile(
    r"^(CON|PRN|AUX|NUL|CONIN\$|CONOUT\$|(COM|LPT)[0-9\u00b9\u00b2\u00b3])(?=\s*(\.|$))",
    re.IGNORECASE,
)
# Windows' own programs take 260 characters for a whole path, with the folder to extract to. Longer
# names are cut, but not below what is still told apart.
FOLDERS_MOST, PATH_MOST = 120, 200
FOLDER_LEAST, NAME_LEAST = 8, 30


def portable(name: str) -> str:
    """A name without what some system does not allow."""
    name = FORBIDDEN.sub("_", unicodedata.normalize("NFC", name)).rstrip(" .") or "_"
    return DEVICE.sub(r"\1_", name)


def same_name(name: str) -> str:
    """A key that is equal for names that are one on a system which ignores case or composition."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def cut_name(name: str, most: int, mark: str = "") -> str:
    """A name of at most `most` characters and NAME_LENGTH bytes: the stem is cut, and `mark` comes
    between it and the file extension."""
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > 16:
        stem, dot, extension = name, "", ""
    end = f"{mark}{dot}{extension}"
    stem = stem[: max(1, most - len(end))]
    stem = stem.encode()[: NAME_LENGTH - len(end.encode())].decode(errors="ignore")
    return stem.rstrip(" .") + end if not end else stem + end


class ZipNames:
    """The names of a zip file: to each folder and file of ours a path in it."""

    def __init__(self) -> None:
        self.used: dict[str, set[str]] = {}
        # The next number for a name in a folder, so that not all before it are tried.
        self.numbers: dict[tuple[str, str], int] = {}
        self.folders: dict[str, str] = {"": ""}

    def of_folder(self, path: str) -> str:
        """The path of a folder, with a slash at its end; '' for the top."""
        if path not in self.folders:
            above = self.of_folder(parent_of(path))
            most = max(FOLDER_LEAST, FOLDERS_MOST - len(above))
            self.folders[path] = f"{above}{self.free(above, portable(name_of(path)), most)}/"
        return self.folders[path]

    def of_file(self, folder: str, name: str) -> str:
        above = self.of_folder(folder)
        most = max(NAME_LEAST, PATH_MOST - len(above))
        return above + self.free(above, portable(name), most)

    def free(self, above: str, name: str, most: int) -> str:
        """The name, or the name with a number if there is another one like it."""
        used = self.used.setdefault(above, set())
        first = same_name(cut_name(name, most))
        for number in count(self.numbers.get((above, first), 1)):
            wanted = cut_name(name, most, "" if number == 1 else f" ({number})")
            if (key := same_name(wanted)) not in used:
                used.add(key)
                self.numbers[above, first] = number + 1
                return wanted
        raise AssertionError  # count() has no end
