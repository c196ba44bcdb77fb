"""The Content-Disposition of a part of a form (RFC 7578), read from its bytes.

Clients write file names in several ways. Some escape quotation marks and some do not; in GBK and
Big5 the second byte of a character can be a backslash. So a name is unescaped after its encoding is
known (app/files/upload/sent_names.py), and where it ends is seen from what follows.
"""

import re
from itertools import chain, islice
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from app.encodings import decode_text

# ASCII: a character stands for a byte, and 0x85 and 0xA0 are parts of Chinese characters.
PARAMETER = re.compile(r"[;\s]*+([^\s=;\"]++)\s*+=\s*+", re.ASCII)
UNESCAPED = re.compile(r"(?:[^\"\\]|\\.)*+(?=\")")
# What follows the quotation mark at the end of a value.
FOLLOWING = re.compile(r"[\s;]*+\Z|(?=[\s;])[\s;]*+[^\s=;\"]++\s*+=", re.ASCII)
# Each costs time with the length of the header.
PARAMETERS = CANDIDATES = 20


class Disposition(NamedTuple):
    """The name of the field, and that of the file: decoded if the header says in which encoding it
    is, otherwise its bytes; None if the part has no file name. With too many parameters it is not
    complete: the name of a file may follow."""

    field: str | None = None
    filename: str | bytes | None = None
    complete: bool = True


def read_disposition(value: str) -> Disposition:
    """The parts of a header value, whose characters are its bytes (Latin-1)."""
    found, complete = parameters(value.partition(";")[2])
    field = found.get("name")
    if field is not None:
        field = field.encode("latin-1").decode("utf-8", "replace")
    return Disposition(field, file_name(found), complete)


def parameters(text: str) -> tuple[dict[str, str], bool]:
    """The parameters by their names in lower case, of several with the same name the first; and
    whether these are all."""
    found: dict[str, str] = {}
    at = 0
    for _ in range(PARAMETERS):
        name = PARAMETER.match(text, at)
        if name is None:
            at = text.find(";", at + 1)
            if at < 0:
                return found, True
            continue
        start = name.end()
        if text.startswith('"', start):
            end = end_of_quoted(text, start + 1)
            value, at = text[start + 1 : end], end + 1
        else:
            at = text.find(";", start) if ";" in text[start:] else len(text)
            value = text[start:at].strip(" \t")
        found.setdefault(name[1].lower(), value)
    return found, not text[at:].strip("; \t")


def end_of_quoted(text: str, start: int) -> int:
    """Where a quoted value ends: at the first quotation mark that is not escaped, if then another
    parameter follows or nothing; otherwise at the first one of which that is true; otherwise at the
    last one."""
    unescaped = UNESCAPED.match(text, start)
    candidates = [unescaped.end()] if unescaped else []
    others = islice(re.finditer('"', text[start:]), CANDIDATES)
    for at in chain(candidates, (start + mark.start() for mark in others)):
        if FOLLOWING.match(text, at + 1):
            return at
    last = text.rfind('"', start)
    return last if last >= 0 else len(text)


def file_name(found: dict[str, str]) -> str | bytes | None:
    """The name of the file: `filename*` (RFC 8187) if its encoding is known and right, otherwise
    `filename`."""
    extended = found.get("filename*", continued(found))
    decoded = None if extended is None else decode_extended(extended)
    if decoded is not None:
        return decoded
    if "filename" in found:
        return found["filename"].encode("latin-1")
    return None if extended is None else extended_bytes(extended)[1]


def decode_extended(value: str) -> str | None:
    """The text of an extended value; None if its encoding is missing, unknown or another one."""
    charset, data = extended_bytes(value)
    try:
        return decode_text(data, charset.strip())
    except (LookupError, ValueError):
        return None


def extended_bytes(value: str) -> tuple[str, bytes]:
    """The name of the encoding and the bytes of an extended value: UTF-8'en'%E6%96%B0.txt"""
    charset, _quote, rest = value.partition("'") if value.count("'") > 1 else ("", "", value)
    text = rest.partition("'")[2] if charset or _quote else rest
    return charset, unquote_to_bytes(text.encode("latin-1"))


def continued(found: dict[str, str]) -> str | None:
    """`filename*0`, `filename*1*` and so on (RFC 2231) as one extended value."""
    pieces: list[str] = []
    for number in range(len(found)):
        plain, encoded = found.get(f"filename*{number}"), found.get(f"filename*{number}*")
        if encoded is not None:
            pieces.append(encoded)
        elif plain is not None:
            pieces.append(("" if number else "''") + quote(plain.encode("latin-1"), safe=""))
        else:
            break
    return "".join(pieces) if pieces else None
