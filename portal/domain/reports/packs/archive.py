"""A pack as one ZIP: the same files give the same bytes, with a manifest of their hashes."""

import csv
import hashlib
import json
import shutil
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from portal.domain.reports.packs.kinds import MANIFEST, SUMS
from portal.platform.tables.csv_cells import disarm_formula

_EARLIEST = (1980, 1, 1, 0, 0, 0)  # the only date of an entry: a ZIP has no time zones
_READABLE = 0o100644 << 16  # an ordinary file that everyone may read
_UNIX = 3
_PIECE = 1 << 20


class PackFile(NamedTuple):
    """One file of a pack, which is in the scratch folder under its own name."""

    name: str
    contents: str  # what it contains, in words


def write_archive(folder: Path, files: Sequence[PackFile], about: dict[str, Any], target: Path) -> str:
    """Write the files with ``manifest.json`` and ``SHA256SUMS``, the hashes as ``sha256sum`` reads them.

    Args:
        folder: Where the files are.
        files: The files, in the order of the archive.
        about: What the manifest says of the pack, before its list of files.
        target: The archive.

    Returns:
        The SHA-256 of the archive.
    """
    entries = [
        {
            "name": file.name,
            "contents": file.contents,
            "bytes": (folder / file.name).stat().st_size,
            "sha256": hash_file(folder / file.name),
        }
        for file in files
    ]
    manifest = json.dumps({**about, "files": entries}, indent=1, ensure_ascii=False)
    (folder / MANIFEST).write_text(f"{manifest}\n", encoding="utf-8", newline="\n")
    names = [*(file.name for file in files), MANIFEST]
    sums = "".join(f"{hash_file(folder / name)}  {name}\n" for name in names)
    (folder / SUMS).write_text(sums, encoding="utf-8", newline="\n")
    with zipfile.ZipFile(target, "w") as archive:
        for name in (*names, SUMS):
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, _UNIX
            entry.external_attr = _READABLE
            with (folder / name).open("rb") as source, archive.open(entry, "w") as packed:
                shutil.copyfileobj(source, packed, _PIECE)
    return hash_file(target)


def write_small_table(path: Path, heads: Sequence[str], rows: Iterable[Sequence[str | int]]) -> None:
    """Write a CSV file of a few rows, in which no text can run as a formula."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(heads)
        writer.writerows(
            [disarm_formula(cell) if isinstance(cell, str) else cell for cell in row] for row in rows
        )


def hash_file(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    for piece in _read_pieces(path):
        digest.update(piece)
    return digest.hexdigest()


def _read_pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE):
            yield piece
