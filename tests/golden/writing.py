"""The folder of texts that a record is."""

import hashlib
import re
from pathlib import Path
from typing import Any

from tests.golden.contents import name_variants, read_content

UNTOLD = {"Content-Length", "Date", "Set-Cookie"}  # the second of them stands still, the third is a secret


class Record:
    """A folder, into which one part of the record writes its texts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._written: set[Path] = set()

    def write(self, place: str, title: str, words: str) -> None:
        """Keep a text under its title, with what varies replaced by its name.

        Args:
            place: The folder, and a name that need not be fit for a file.
            title: Its first line: who met it, and where.
            words: The text.
        """
        kind, _, name = place.partition("/")
        name = re.sub(r"[^\w.=-]+", "_", name_variants(name)).strip("_") or "root"
        path = self.folder / kind / f"{_shorten(name)}.txt"
        if path in self._written:
            path = path.with_name(f"{path.stem}-{hashlib.sha256(place.encode()).hexdigest()[:6]}.txt")
        self._written.add(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [title, *words.rstrip().splitlines()]
        path.write_text("\n".join(name_variants(line) for line in lines) + "\n", encoding="utf-8")

    def write_answer(self, place: str, title: str, response: Any, statements: int, more: str = "") -> None:
        """Keep a response: its status, the statements that it took, its headers, and what it holds."""
        headers = sorted(f"{key}: {value}" for key, value in response.headers if key not in UNTOLD)
        cookies = sorted(
            re.sub(r"=[^;]*", "=«value»", cookie, count=1)
            for cookie in response.headers.getlist("Set-Cookie")
        )
        head = [
            f"{response.status_code}, {statements} statements",
            *headers,
            *(f"Set-Cookie: {c}" for c in cookies),
        ]
        words = read_content(response.content_type or "", response.data)
        self.write(place, title, "\n".join([*head, "", words, more]))


def _shorten(name: str) -> str:
    """A name that every file system takes."""
    return name if len(name) <= 120 else f"{name[:110]}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
