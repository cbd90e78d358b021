"""What differs between two records, as a reader would want it: the lines once, and below them where."""

import difflib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MOST_LINES, MOST_PLACES, LONGEST = 12, 8, 400


@dataclass(frozen=True)
class Difference:
    """Lines that went and came at one place of a text; ``title`` is the text's first line."""

    file: str
    title: str
    line: int
    went: tuple[str, ...]
    came: tuple[str, ...]

    @property
    def place(self) -> str:
        """Who meets it, where, and in which line."""
        return f"{self.title}, line {self.line}" if self.line else self.title


def compare(kept: Path, new: Path) -> list[Difference]:
    """Every difference between two records.

    Raises:
        FileNotFoundError: One of the folders is no record.
    """
    texts = [
        {str(path.relative_to(folder)): path for path in sorted(folder.rglob("*.txt"))}
        for folder in (kept, new)
    ]
    for folder, found in zip((kept, new), texts, strict=True):
        if not found:
            raise FileNotFoundError(f"{folder} holds no record: make golden writes one.")
    return [
        difference
        for name in sorted(texts[0] | texts[1])
        for difference in _compare_texts(name, *(_read_lines(found.get(name)) for found in texts))
    ]


def _read_lines(path: Path | None) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines() if path else []


def _compare_texts(name: str, kept: list[str], new: list[str]) -> Iterator[Difference]:
    if kept == new:
        return
    if not kept or not new:  # all of a text
        whole = kept or new
        said = (f"a text of {len(whole) - 1} lines: {' / '.join(whole[1:3])}",)
        yield Difference(name, whole[0], 0, said if kept else (), said if new else ())
        return
    for kind, first, last, new_first, new_last in difflib.SequenceMatcher(
        None, kept, new, autojunk=False
    ).get_opcodes():
        if kind != "equal":
            yield Difference(
                name, new[0], new_first + 1, tuple(kept[first:last]), tuple(new[new_first:new_last])
            )


def describe(differences: list[Difference], *, whole: bool = False) -> Iterator[str]:
    """The differences as lines: what is the same in many places is told once.

    Args:
        differences: All of them.
        whole: Leave nothing out.
    """
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], list[Difference]] = defaultdict(list)
    for difference in differences:
        groups[difference.went, difference.came].append(difference)
    for (went, came), found in groups.items():
        lines = [*(f"- {line}" for line in went), *(f"+ {line}" for line in came)]
        places = [f"    {difference.place}" for difference in found]
        yield from _shorten(lines, MOST_LINES, whole)
        yield from _shorten(places, MOST_PLACES, whole)
        yield ""
    texts = len({difference.file for difference in differences})
    yield f"{len(groups):,} differences in {texts:,} texts." if groups else "No difference."


def _shorten(lines: list[str], most: int, whole: bool) -> Iterator[str]:
    shown = lines if whole else [line[:LONGEST] for line in lines[:most]]
    yield from shown
    if len(lines) > len(shown):
        yield f"    … and {len(lines) - len(shown):,} more"
