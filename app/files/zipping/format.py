"""The zip format (APPNOTE 6.3), as far as it is needed without compression, in constant memory.

Most files (pictures, PDF, video) would not get smaller. So the length of the whole is known before
the first byte, and a client sees how much is left and whether anything is missing. Their checksums
are known only afterwards, and follow each file in a data descriptor. A program that reads a zip
file from its beginning, as Java does, then has to find the end of a file in its content: so that is
written as uncompressed blocks of DEFLATE (RFC 1951, 3.2.4), the last of which says so. Names are
UTF-8. What does not fit into 32 bits is written as Zip64 says, and only that, because some programs
cannot read Zip64.
"""

import struct
import zlib
from array import array
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
DESCRIPTOR, DESCRIPTOR_64 = struct.Struct("<4s3L"), struct.Struct("<4sL2Q")
END, END_64 = struct.Struct("<4s4H2LH"), struct.Struct("<4sQ2H2L4Q")
LOCATOR = struct.Struct("<4sLQL")
# The time of a change in UTC ("UT"); the times of the headers have no zone, and even seconds only.
TIMESTAMP = struct.Struct("<2HBl")
# The header of an uncompressed block: whether it is the last, its length, and that inverted.
BLOCK = struct.Struct("<B2H")
LONG = struct.Struct("<Q")
EXTRA = struct.Struct("<2H")

UTF_8, WITH_DESCRIPTOR = 0x800, 0x8
STORED, DEFLATED = 0, 8
VERSION, VERSION_64 = 20, 45
UNIX = 3 << 8  # made by: the attributes are those of Unix
FILE_ATTRIBUTES = 0o100644 << 16
FOLDER_ATTRIBUTES = 0o040755 << 16 | 0x10
BLOCK_BYTES = 32 << 10  # of content in a block; at most 65,535
# What does not fit is this in the header, and follows in 64 bits.
MOST_16, MOST_32 = 0xFFFF, 0xFFFFFFFF
FIRST_YEAR, LAST_YEAR = 1980, 2107


class BrokenArchive(Exception):
    """A file is not what was announced; the download breaks off."""


@dataclass(frozen=True)
class ZipEntry:
    """A file or folder; the name of a folder ends with a slash. `local` is `moment` as the reader's
    clock showed it, and `source` what open_source() needs."""

    name: bytes
    size: int
    moment: datetime
    local: datetime
    source: str = ""

    @property
    def is_folder(self) -> bool:
        return self.name.endswith(b"/")

    @property
    def packed(self) -> int:
        """The length of its content with the headers of its blocks."""
        return self.size + BLOCK.size * -(-self.size // BLOCK_BYTES)

    @property
    def is_long(self) -> bool:
        return self.packed >= MOST_32

    @property
    def dos_time(self) -> tuple[int, int]:
        """Time and date as in FAT."""
        year = min(max(self.local.year, FIRST_YEAR), LAST_YEAR) - FIRST_YEAR
        date = year << 9 | self.local.month << 5 | self.local.day
        return self.local.hour << 11 | self.local.minute << 5 | self.local.second // 2, date

    @property
    def timestamp(self) -> bytes:
        seconds = min(max(int(self.moment.timestamp()), -(2**31)), 2**31 - 1)
        return TIMESTAMP.pack(0x5455, 5, 1, seconds)

    @property
    def coding(self) -> tuple[int, int]:
        """The flags, and the method. What is empty needs neither blocks nor a descriptor."""
        return (UTF_8 | WITH_DESCRIPTOR, DEFLATED) if self.size else (UTF_8, STORED)


def local_header(entry: ZipEntry) -> bytes:
    """What comes before a file, whose length and checksum come after it."""
    extra = entry.timestamp
    version, unknown = VERSION, 0
    if entry.is_long:
        extra = EXTRA.pack(1, 16) + bytes(16) + extra
        version, unknown = VERSION_64, MOST_32
    lengths = len(entry.name), len(extra)
    fields = (version, *entry.coding, *entry.dos_time, 0, unknown, unknown, *lengths)
    return LOCAL.pack(b"PK\x03\x04", *fields) + entry.name + extra


def descriptor(entry: ZipEntry, checksum: int) -> bytes:
    """What comes after a file."""
    if not entry.size:
        return b""
    form = DESCRIPTOR_64 if entry.is_long else DESCRIPTOR
    return form.pack(b"PK\x07\x08", checksum, entry.packed, entry.size)


def central_header(entry: ZipEntry, checksum: int, offset: int) -> bytes:
    """The entry in the directory at the end, which programs read first."""
    long = [each for each in (entry.size, entry.packed, offset) if each >= MOST_32]
    extra = EXTRA.pack(1, 8 * len(long)) + b"".join(map(LONG.pack, long)) if long else b""
    extra += entry.timestamp
    version = VERSION_64 if long else VERSION
    packed, size = (min(each, MOST_32) for each in (entry.packed, entry.size))
    attributes = FOLDER_ATTRIBUTES if entry.is_folder else FILE_ATTRIBUTES
    fields = (
        *(UNIX | version, version, *entry.coding, *entry.dos_time, checksum, packed, size),
        *(len(entry.name), len(extra), 0, 0, 0, attributes, min(offset, MOST_32)),
    )
    return CENTRAL.pack(b"PK\x01\x02", *fields) + entry.name + extra


def end_of_directory(count: int, start: int, length: int) -> bytes:
    """The last bytes: where the directory is."""
    end = END.pack(
        *(b"PK\x05\x06", 0, 0, min(count, MOST_16), min(count, MOST_16)),
        *(min(length, MOST_32), min(start, MOST_32), 0),
    )
    if count < MOST_16 and start < MOST_32 and length < MOST_32:
        return end
    versions = (VERSION_64, VERSION_64)
    record = END_64.pack(b"PK\x06\x06", 44, *versions, 0, 0, count, count, length, start)
    return record + LOCATOR.pack(b"PK\x06\x07", 0, start + length, 1) + end


def length_of(entries: Sequence[ZipEntry]) -> int:
    """The length of the whole zip file."""
    offset = directory = 0
    for entry in entries:
        directory += len(central_header(entry, 0, offset))
        offset += len(local_header(entry)) + entry.packed + len(descriptor(entry, 0))
    return offset + directory + len(end_of_directory(len(entries), offset, directory))


def write_zip(
    entries: Sequence[ZipEntry], read: Callable[[ZipEntry], Iterable[bytes]]
) -> Iterator[bytes]:
    """The bytes of the zip file, with the content that `read` returns for each file."""
    checksums, offsets, offset = array("L"), array("Q"), 0
    for entry in entries:
        header = local_header(entry)
        yield header
        checksum = yield from pack(entry, () if entry.is_folder else read(entry))
        after = descriptor(entry, checksum)
        yield after
        checksums.append(checksum)
        offsets.append(offset)
        offset += len(header) + entry.packed + len(after)
    length = 0
    for entry, checksum, start in zip(entries, checksums, offsets, strict=True):
        header = central_header(entry, checksum, start)
        length += len(header)
        yield header
    yield end_of_directory(len(entries), offset, length)


def pack(entry: ZipEntry, content: Iterable[bytes]) -> Generator[bytes, None, int]:
    """The content of a file in blocks; returns its checksum."""
    checksum = seen = 0
    for piece in content:
        checksum = zlib.crc32(piece, checksum)
        yield b"".join(in_blocks(piece, seen, entry.size))
        seen += len(piece)
    if seen != entry.size:
        raise BrokenArchive(f"{entry.source} has {seen} bytes, not {entry.size}")
    return checksum


def in_blocks(piece: bytes, start: int, size: int) -> Iterator[bytes | memoryview]:
    """A piece of a file that begins at `start`, with the headers of the blocks that begin in it.
    Blocks have all the same length but for the last, whatever the pieces."""
    view, place = memoryview(piece), 0
    while place < len(view):
        into = (start + place) % BLOCK_BYTES
        if into == 0:
            left = size - start - place
            length = max(0, min(BLOCK_BYTES, left))
            yield BLOCK.pack(length == left, length, length ^ MOST_16)
        yield view[place : place + BLOCK_BYTES - into]
        place += BLOCK_BYTES - into
