"""An exercise's folder as a ZIP: packed for the person who changes it, and opened again within limits.

Nothing is unpacked to disk. An archive that two programs could read differently is refused as a whole, as are
links, names that lead elsewhere, and anything that unpacks to more than it says.
"""

import io
import zipfile

from portal.domain.catalogue.sources.folder_reader import MAX_TEXT_BYTES
from portal.platform.errors import BadInputError
from portal.platform.formats.zip_archives import (
    ArchiveError,
    EncryptedArchiveError,
    ZipArchive,
    ZipEntry,
    read_archive,
)

MEBIBYTE = 1024 * 1024
MOST_ARCHIVE_BYTES = 24 * MEBIBYTE  # as sent
MOST_UNPACKED_BYTES = 64 * MEBIBYTE  # of all files together
MOST_MEDIUM_BYTES = 25 * MEBIBYTE
MOST_FILES = 400
_OF_FINDERS = ("__MACOSX/", ".DS_Store")  # what one system adds unasked
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the same files give the same bytes
_UNIX = 3


def pack_exercise(key: str, files: dict[str, bytes]) -> bytes:
    """The folder as a ZIP; the same files give the same bytes."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(f"{key}/{path}", _EARLIEST)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, _UNIX
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, files[path])
    return packed.getvalue()


def open_exercise(content: bytes) -> tuple[str, dict[str, bytes]]:
    """The exercise's key, which is the name of the one folder in the ZIP, and its files by path.

    Raises:
        BadInputError: It is no ZIP of one folder, is ambiguous, or is larger than allowed.
    """
    if len(content) > MOST_ARCHIVE_BYTES:
        raise BadInputError([f"The ZIP may have up to {MOST_ARCHIVE_BYTES // MEBIBYTE} MB."])
    archive = _read_bounded(content)
    entries = [entry for entry in archive.entries if not _is_left_out(entry.name)]
    key = _only_folder(entries)
    files = {
        entry.name.removeprefix(f"{key}/"): _unpack_entry(archive, entry)
        for entry in entries
        if not entry.name.endswith("/")
    }
    return key, dict(sorted(files.items()))


def _read_bounded(content: bytes) -> ZipArchive:
    try:
        archive = read_archive(content)
    except EncryptedArchiveError as error:
        raise BadInputError(["The ZIP is locked with a password. Pack it without one."]) from error
    except ArchiveError as error:
        raise BadInputError([f"The ZIP is refused: {error} Pack the folder again."]) from error
    if len(archive.entries) > MOST_FILES:
        raise BadInputError([f"The ZIP has more than {MOST_FILES} files."])
    for entry in archive.entries:
        limit = MOST_MEDIUM_BYTES if "/media/" in entry.name else MAX_TEXT_BYTES
        if entry.unpacked > limit:
            raise BadInputError([f"Keep {entry.name} under {limit // 1024} KB."])
    if sum(entry.unpacked for entry in archive.entries) > MOST_UNPACKED_BYTES:
        raise BadInputError([f"Unpacked, the ZIP has more than {MOST_UNPACKED_BYTES // MEBIBYTE} MB."])
    return archive


def _is_left_out(name: str) -> bool:
    return name.startswith(_OF_FINDERS[0]) or name.rpartition("/")[2] == _OF_FINDERS[1]


def _only_folder(entries: list[ZipEntry]) -> str:
    tops = {entry.name.partition("/")[0] for entry in entries}
    is_folder = all("/" in entry.name for entry in entries)
    if len(tops) != 1 or not is_folder:
        raise BadInputError(
            ["Pack the exercise's folder itself: the ZIP must hold one folder, whose name is its key."]
        )
    return tops.pop()


def _unpack_entry(archive: ZipArchive, entry: ZipEntry) -> bytes:
    try:
        return b"".join(archive.unpack_pieces(entry))
    except ArchiveError as error:
        raise BadInputError([f"{entry.name} is damaged: {error} Pack the folder again."]) from error
