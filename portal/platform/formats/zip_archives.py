"""Checks that a ZIP archive is unambiguous: the rules that PyPI has for uploads, and a few more.

Readers differ in which header they trust. So values that are given twice must agree, and every
byte of the file must belong to exactly one entry, to the directory or to its end.
"""

import re
import stat
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import unquote

MOST_ENTRIES = 1_000
PIECE = 1 << 20  # bytes that are unpacked at once

STORED, DEFLATED = 0, 8
_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END64, _LOCATOR64, _DESCRIPTOR = b"PK\x06\x06", b"PK\x06\x07", b"PK\x07\x08"
_ENCRYPTED = 1 << 0 | 1 << 6 | 1 << 13
_LATER = 1 << 3  # sizes and checksum follow the data
_FLAGS = 0b110 | _LATER | 1 << 11  # effort of packing, sizes later, names in UTF-8
_FULL16, _FULL32 = 0xFFFF, 0xFFFFFFFF
_ZIP64, _UNICODE_NAME = 0x0001, 0x7075
_NAME = re.compile(r"[ -~]+")
_WINDOWS = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)", re.I)


class ArchiveError(ValueError):
    """An archive is refused; the text tells a developer which rule it breaks."""


class EncryptedArchiveError(ArchiveError):
    """An archive that a password protects."""


class ZipEntry(NamedTuple):
    """One file of an archive, as both of its headers describe it."""

    name: str
    flags: int
    method: int
    crc: int
    packed: int  # bytes
    unpacked: int  # bytes
    offset: int  # of its own header


@dataclass(frozen=True, slots=True)
class ZipArchive:
    """An archive with a valid structure; the data of an entry is checked as it is unpacked."""

    content: bytes
    entries: Sequence[ZipEntry]  # in order of their place

    def unpack_pieces(self, entry: ZipEntry) -> Iterator[bytes]:
        """The unpacked data of an entry, never more than it declares.

        Raises:
            ArchiveError: It unpacks to something else than its headers say.
        """
        begin = _start_of_data(self.content, entry)
        packed = memoryview(self.content)[begin : begin + entry.packed]
        crc, size = 0, 0
        for piece in _inflate_pieces(packed) if entry.method == DEFLATED else _split_pieces(packed):
            crc, size = zlib.crc32(piece, crc), size + len(piece)
            if size > entry.unpacked:
                raise ArchiveError("An entry holds more than it says.")
            yield piece
        if (crc, size) != (entry.crc, entry.unpacked):
            raise ArchiveError("An entry holds something else than its checksum says.")


def read_archive(content: bytes) -> ZipArchive:
    """Read an archive, refusing one that is ambiguous.

    Raises:
        EncryptedArchiveError: A password protects it.
        ArchiveError: It is none, or is ambiguous, or an entry's name leads elsewhere.
    """
    try:
        start, size, count, end = _find_directory(content)
        entries = _read_directory(content, start, start + size)
        if start + size != end or len(entries) != count:
            raise ArchiveError("The directory is not where or what the end says.")
        if not entries:
            raise ArchiveError("It is empty.")
        _refuse_names(entries)
        entries.sort(key=lambda entry: entry.offset)
        _check_places(content, entries, start)
    except (struct.error, UnicodeDecodeError) as error:
        raise ArchiveError("A header is cut off.") from error
    return ZipArchive(content, entries)


def _find_directory(content: bytes) -> tuple[int, int, int, int]:
    """Start, size and number of entries of the directory, and the start of the end records."""
    at = len(content) - 22
    if at < 0 or content[at : at + 4] != _END:
        raise ArchiveError("The last bytes are not the end of an archive.")
    disk, first_disk, here, count, size, start, comment = struct.unpack_from("<4H2LH", content, at + 4)
    if disk or first_disk or here != count or comment:
        raise ArchiveError("It spans several disks, or has a comment.")
    if content[at - 20 : at - 16] != _LOCATOR64:
        if count == _FULL16 or _FULL32 in {size, start}:
            raise ArchiveError("It says to be large, and is not.")
        return start, size, count, at
    return _find_large_directory(content, at - 20, (count, size, start))


def _find_large_directory(content: bytes, at: int, ends: tuple[int, int, int]) -> tuple[int, int, int, int]:
    """As ``_find_directory``, for an archive with ZIP64 records; both sets of records must agree."""
    disk, place, disks = struct.unpack_from("<LQL", content, at + 4)
    if disk or disks != 1 or place != at - 56 or content[place : place + 4] != _END64:
        raise ArchiveError("The record of a large archive is not where it is said to be.")
    length, _, _, disk, first_disk, here, count, size, start = struct.unpack_from(
        "<Q2H2L4Q", content, place + 4
    )
    if length != 44 or disk or first_disk or here != count:
        raise ArchiveError("The record of a large archive is not of this one.")
    for small, large, full in zip(ends, (count, size, start), (_FULL16, _FULL32, _FULL32), strict=True):
        if small not in {large, full}:
            raise ArchiveError("Its two ends disagree.")
    return start, size, count, place


def _read_directory(content: bytes, at: int, end: int) -> list[ZipEntry]:
    """The entries that the directory lists, which fill it to the byte."""
    entries = []
    while at < end:
        if content[at : at + 4] != _CENTRAL:
            raise ArchiveError("There is something else in the directory.")
        _, system, _, flags, method = struct.unpack_from("<2B3H", content, at + 4)
        crc, packed, unpacked, named, extra, comment, disk, _, mode, offset = struct.unpack_from(
            "<3L5H2L", content, at + 16
        )
        name = content[at + 46 : at + 46 + named].decode("ascii")
        large = _large_sizes(content[at + 46 + named : at + 46 + named + extra])
        unpacked, packed, offset = _fill_large_numbers((unpacked, packed, offset), large)
        _refuse_kind(flags, method, system, mode >> 16)
        if comment or disk:
            raise ArchiveError("An entry has a comment, or is on another disk.")
        entries.append(ZipEntry(name, flags, method, crc, packed, unpacked, offset))
        if len(entries) > MOST_ENTRIES:
            raise ArchiveError(f"It has more than {MOST_ENTRIES:,} parts.")
        at += 46 + named + extra
    return entries


def _refuse_kind(flags: int, method: int, system: int, mode: int) -> None:
    if flags & _ENCRYPTED:
        raise EncryptedArchiveError("A password protects an entry.")
    if flags & ~_FLAGS or method not in {STORED, DEFLATED}:
        raise ArchiveError("An entry is packed in an unusual way.")
    if system == 3 and stat.S_IFMT(mode) not in {0, stat.S_IFREG, stat.S_IFDIR}:  # 3: Unix
        raise ArchiveError("An entry is a link or a device.")


def _large_sizes(extra: bytes) -> list[int] | None:
    """The numbers in the ZIP64 extra field; None if there is no such field."""
    numbers, at = None, 0
    while at < len(extra):
        kind, size = struct.unpack_from("<2H", extra, at)
        field = extra[at + 4 : at + 4 + size]
        if (
            len(field) != size
            or kind == _UNICODE_NAME
            or (kind == _ZIP64 and (numbers is not None or size % 8))
        ):
            raise ArchiveError("An entry's extra fields are cut off, or say something twice.")
        if kind == _ZIP64:
            numbers = list(struct.unpack(f"<{size // 8}Q", field))
        at += 4 + size
    return numbers


def _fill_large_numbers(small: tuple[int, ...], large: list[int] | None) -> tuple[int, ...]:
    """The numbers, with each placeholder filled from the ZIP64 field, which must be used up."""
    unused = list(large or [])
    numbers = tuple(unused.pop(0) if number == _FULL32 and unused else number for number in small)
    if unused or _FULL32 in numbers:
        raise ArchiveError("An entry's field for large sizes says too much or too little.")
    return numbers


def _refuse_names(entries: Sequence[ZipEntry]) -> None:
    """Refuse names that lead elsewhere, or that two readers could take for the same file."""
    names = [entry.name for entry in entries]
    for name in names:
        if not _NAME.fullmatch(name):
            raise ArchiveError("An entry's name is not of plain letters.")
        _refuse_name(name)
        _refuse_name(unquote(name))
    folded = [unquote(name).lower().rstrip("/") for name in names]
    if len(set(folded)) != len(folded):
        raise ArchiveError("Two entries have one name.")
    files = {name for name, entry in zip(folded, entries, strict=True) if not entry.name.endswith("/")}
    for name in folded:
        steps = name.split("/")
        if any("/".join(steps[:depth]) in files for depth in range(1, len(steps))):
            raise ArchiveError("An entry is a file, and the folder of another.")
    if any(entry.unpacked for entry in entries if entry.name.endswith("/")):
        raise ArchiveError("A folder holds data.")


def _refuse_name(name: str) -> None:
    steps = name.removesuffix("/").split("/")
    bad = (
        not name.isprintable()
        or any(character in name for character in '\\:*?"<>|')
        or any(step != step.strip(" ") or step.endswith(".") or not step for step in steps)
        or any(_WINDOWS.match(step) for step in steps)
    )
    if bad:
        raise ArchiveError("An entry's name leads elsewhere, or is not one that every system can have.")


def _check_places(content: bytes, entries: Sequence[ZipEntry], directory: int) -> None:
    """Refuse entries whose own headers differ from the directory, and gaps or overlaps between entries."""
    if entries[0].offset != 0:
        raise ArchiveError("There is data before the first entry.")
    bounds = [*(entry.offset for entry in entries), directory]
    for entry, (_, end) in zip(entries, pairwise(bounds), strict=True):
        begin = _start_of_data(content, entry)
        behind = content[begin + entry.packed : end]
        if begin + entry.packed > end:
            raise ArchiveError("Two entries overlap.")
        if entry.flags & _LATER:
            _check_descriptor(behind, entry)
        elif behind:
            raise ArchiveError("There is data between two entries.")


def _start_of_data(content: bytes, entry: ZipEntry) -> int:
    """Start of the entry's data; refuses an own header that differs from the directory."""
    if content[entry.offset : entry.offset + 4] != _LOCAL:
        raise ArchiveError("An entry is not where the directory says.")
    _, flags, method, _, _, crc, packed, unpacked, named, extra = struct.unpack_from(
        "<5H3L2H", content, entry.offset + 4
    )
    at = entry.offset + 30
    name = content[at : at + named]
    large = _large_sizes(content[at + named : at + named + extra])
    sizes = (unpacked, packed)
    if large and entry.flags & _LATER and sizes == (0, 0) and not any(large):
        large = None  # a writer that did not know yet
    if (large and len(large) != 2) or (large and sizes == (0, 0)):
        raise ArchiveError("An entry's own field for large sizes says too little.")
    if large and sizes != (_FULL32, _FULL32):
        raise ArchiveError("An entry says its size twice.")
    unpacked, packed = _fill_large_numbers(sizes, large)
    later = bool(entry.flags & _LATER) and not (crc or packed or unpacked)
    if (name, flags, method) != (entry.name.encode(), entry.flags, entry.method) or (
        not later and (crc, packed, unpacked) != (entry.crc, entry.packed, entry.unpacked)
    ):
        raise ArchiveError("An entry's own header says something else than the directory.")
    return int(at + named + extra)


def _check_descriptor(behind: bytes, entry: ZipEntry) -> None:
    """Refuse a data descriptor that differs from the directory; it follows data of unknown size."""
    for form in ("<3L", "<L2Q"):
        descriptor = struct.pack(form, entry.crc, entry.packed, entry.unpacked)
        if behind in {descriptor, _DESCRIPTOR + descriptor}:
            return
    raise ArchiveError("What follows an entry says something else than the directory.")


def _split_pieces(data: memoryview) -> Iterator[bytes]:
    for place in range(0, len(data), PIECE):
        yield bytes(data[place : place + PIECE])


def _inflate_pieces(data: memoryview) -> Iterator[bytes]:
    """Unpack the data, refusing data that is cut off or followed by more."""
    engine, remaining = zlib.decompressobj(-zlib.MAX_WBITS), bytes(data)
    try:
        while remaining and not engine.eof:
            yield engine.decompress(remaining, PIECE)
            remaining = engine.unconsumed_tail
        yield engine.flush()
    except zlib.error as error:
        raise ArchiveError("An entry cannot be unpacked.") from error
    if not engine.eof or engine.unused_data or remaining:
        raise ArchiveError("An entry's data ends before or after its place.")
