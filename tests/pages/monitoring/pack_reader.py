"""Reads a pack as whoever gets it does: with Python's own modules and ``sha256sum``, without the portal."""

import csv
import hashlib
import io
import json
import subprocess
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Pack:
    """The files of a pack, whose hashes are right."""

    files: dict[str, bytes]
    manifest: dict

    def text(self, name: str) -> str:
        return self.files[name].decode("utf-8")

    def rows(self, name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.text(name), newline=""), strict=True))

    def meanings(self) -> dict[str, list[str]]:
        """The definitions: each term with what is said of it."""
        meanings: dict[str, list[str]] = {}
        for row in self.rows("definitions.csv"):
            meanings.setdefault(row["term"], []).append(row["meaning"])
        return meanings


def read_pack(content: bytes, folder: Path) -> Pack:
    """Read the pack, and check its hashes in three ways: by the manifest, by the list, by ``sha256sum``."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        infos = archive.infolist()
        files = {info.filename: archive.read(info) for info in infos}
        archive.extractall(folder)
    assert len(files) == len(infos)
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert all("/" not in name for name in files)
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    listed = dict(reversed(line.split("  ")) for line in files["SHA256SUMS"].decode().splitlines())
    assert listed == {name: value for name, value in hashes.items() if name != "SHA256SUMS"}
    manifest = json.loads(files["manifest.json"])
    assert [file["name"] for file in manifest["files"]] == list(files)[:-2]
    for file in manifest["files"]:
        assert (file["sha256"], file["bytes"]) == (hashes[file["name"]], len(files[file["name"]]))
        assert file["contents"]
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder, check=False
    )
    assert done.returncode == 0
    _check_words(Pack(files, manifest))
    return Pack(files, manifest)


def _check_words(pack: Pack) -> None:
    """Every file is named in the read-me, every column is explained, every definition says something."""
    assert all(name in pack.text("README.txt") for name in pack.files if name != "README.txt")
    assert "sha256sum -c SHA256SUMS" in pack.text("README.txt")
    assert all(row["term"] and row["meaning"] for row in pack.rows("definitions.csv"))
    assert pack.meanings()["As at"][0].startswith(pack.manifest["as_at"])
    assert pack.meanings()["As known on"][0].startswith(pack.manifest["as_known_on"])
    explained = {row["column"] for row in pack.rows("data-dictionary.csv")}
    assert all(row["meaning"] for row in pack.rows("data-dictionary.csv"))
    for name in pack.files:
        if name.endswith(".csv") and name not in ("definitions.csv", "data-dictionary.csv"):
            assert set(next(csv.reader(io.StringIO(pack.text(name))))) <= explained
