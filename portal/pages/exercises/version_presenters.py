"""What pages show of an exercise: its texts with slots filled, and what a proposal changes in each file."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portal.domain.authoring.editing.line_diff import diff_lines
from portal.domain.catalogue import queries as catalogue
from portal.domain.catalogue.markdown.placeholders import fill_placeholders

TEXT_ENDINGS = (".md", ".toml", ".vtt", ".svg")
MOST_SHOWN_LINES = 400  # of one file: more would not be read on a page


@dataclass(frozen=True, slots=True)
class ChangedLines:
    """Lines of a file that were taken out, and those in their place."""

    line: int  # in the new file, or where they were
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that a proposal adds, changes or takes out."""

    path: str
    words: str  # what becomes of it
    lines: tuple[ChangedLines, ...] = ()
    is_cut: bool = False  # whether more lines changed than are shown


def fill_content(content: Mapping[str, Any]) -> dict[str, Any]:
    """An exercise's content with slots filled; a detail that the force has not set is named in brackets.

    Args:
        content: As ``ExerciseVersion.content`` has it.
    """
    shared = catalogue.shared_key()

    def fill_html(html: str) -> str:
        return fill_placeholders(html, shared, names_unset=True)

    def fill_values(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {
                key: fill_html(each) if key.endswith("html") and isinstance(each, str) else fill_values(each)
                for key, each in value.items()
            }
        return [fill_values(item) for item in value] if isinstance(value, list) else value

    filled: dict[str, Any] = fill_values(content)
    return filled


def list_changed_files(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> list[ChangedFile]:
    """Every file that differs, by path; texts with their changed lines."""
    return list(_compare_files(old, new))


def _compare_files(old: Mapping[str, bytes], new: Mapping[str, bytes]) -> Iterator[ChangedFile]:
    for path in sorted({*old, *new}):
        if path not in new:
            yield ChangedFile(path, "Taken out")
        elif path not in old:
            yield ChangedFile(path, "New")
        elif old[path] != new[path]:
            yield _compare_texts(path, old[path], new[path])


def _compare_texts(path: str, old: bytes, new: bytes) -> ChangedFile:
    if not path.endswith(TEXT_ENDINGS):
        return ChangedFile(path, "Changed")
    old_lines, new_lines = (content.decode("utf-8", "replace").split("\n") for content in (old, new))
    shown_lines, count = [], 0
    for change in diff_lines(old_lines, new_lines):
        count += change.end - change.start + change.new_end - change.new_start
        if count > MOST_SHOWN_LINES:
            break
        removed = "\n".join(old_lines[change.start : change.end])
        added = "\n".join(new_lines[change.new_start : change.new_end])
        shown_lines.append(ChangedLines(change.new_start + 1, removed, added))
    return ChangedFile(path, "Changed", tuple(shown_lines), count > MOST_SHOWN_LINES)
