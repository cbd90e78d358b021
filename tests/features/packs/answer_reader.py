"""Reads an answer pack as an inspector's own program would: with Python's own modules, without the portal."""

import hashlib
import io
import zipfile
from pathlib import Path

from tests.pages.monitoring.pack_reader import Pack, read_pack


def read_answer(content: bytes, folder: Path) -> Pack:
    """Read a pack and its annexes; check every hash, every figure and every document that it names."""
    folder.mkdir(exist_ok=True)
    pack = read_pack(content, folder / "answer")
    _check_figures(pack)
    _check_documents(pack)
    for name in pack.files:
        if name.endswith("-pack.zip"):
            annex = read_pack(pack.files[name], folder / name)
            assert [annex.manifest[time] for time in TIMES] == [pack.manifest[time] for time in TIMES]
    return pack


TIMES = ("as_at", "as_known_on", "force")


def _check_figures(pack: Pack) -> None:
    """Every percentage is worked out from its fraction, and every figure is evidence that says so."""
    evidence = {row["evidence"]: row for row in pack.rows("evidence.csv")}
    for row in pack.rows("figures.csv"):
        assert evidence[row["evidence"]]["title"] == row["title"]
        if not row["total"]:
            assert (row["reached"], row["percentage"], row["holds"]) == ("", "", "")
            continue
        reached, total = int(row["reached"]), int(row["total"])
        if total:
            assert row["percentage"] == f"{reached * 100 // total}%"
            assert f"{reached:,} of {total:,}" in evidence[row["evidence"]]["shown"]
        if row["threshold"] and total:
            below = reached < float(row["threshold"]) * total - 1e-9
            assert row["holds"] == "no" or not below


def _check_documents(pack: Pack) -> None:
    """Every file of evidence has the hash that its row says."""
    for row in pack.rows("evidence.csv"):
        if row["file"]:
            assert hashlib.sha256(pack.files[row["file"]]).hexdigest() == row["sha256"]


def open_annex(pack: Pack, name: str) -> dict[str, bytes]:
    """The files of an annex."""
    with zipfile.ZipFile(io.BytesIO(pack.files[name])) as archive:
        return {entry: archive.read(entry) for entry in archive.namelist()}
