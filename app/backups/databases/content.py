"""The compressed dump of a database, block by block."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator

from app.backups.archive.manifest import BadBackup, Member
from app.text import N_

LEVEL = 1  # a third larger than with 6, at four times the speed
GZIP = 31  # zlib's name for the format of gzip
MOST = 256 * 1024  # bytes of a decompressed block
BROKEN = N_("The dump of the database was altered.")


class Compressed:
    """Compresses blocks, and knows afterwards how many bytes they had, and their SHA-256."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self.blocks, self.size, self.hash = blocks, 0, hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        packer = zlib.compressobj(LEVEL, wbits=GZIP)
        for block in self.blocks:
            self.size += len(block)
            self.hash.update(block)
            if packed := packer.compress(block):
                yield packed
        yield packer.flush()

    @property
    def content(self) -> Member:
        return Member(self.size, self.hash.hexdigest())


def decompressed(blocks: Iterable[bytes], expected: Member) -> Iterator[bytes]:
    """The blocks of a dump; BadBackup if they are not those that were compressed. One that became
    larger is refused where it does: it may be meant to fill the disk."""
    unpacker, size, digest = zlib.decompressobj(wbits=GZIP), 0, hashlib.sha256()
    for packed in blocks:
        if unpacker.eof:
            raise BadBackup(BROKEN)
        rest = packed
        while rest and not unpacker.eof:
            try:
                block = unpacker.decompress(rest, MOST)
            except zlib.error:
                raise BadBackup(BROKEN) from None
            rest = unpacker.unconsumed_tail
            size += len(block)
            if size > expected.bytes:
                raise BadBackup(BROKEN)
            digest.update(block)
            if block:
                yield block
    if not unpacker.eof or unpacker.unused_data or digest.hexdigest() != expected.sha256:
        raise BadBackup(BROKEN)
