"""Names say what a thing is or does, a class name is used once, and no file holds next to nothing."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.times import FIGURE

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "portal").rglob("*.py"))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
MOST_ONE_WORD_NAMES = 0.20
FEWEST_LINES = 30
# Short files that a reader looks for by their name: a room has each at most once.
CONVENTIONAL = {"__init__", "errors", "forms", "models", "queries", "services", "views", "blueprint"}
COMMAND_GROUPS = ROOT / "portal" / "commands"  # the command is the file


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def function_names() -> Iterator[str]:
    """The names of all functions and methods but those that Python calls by itself."""
    for tree in TREES.values():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__"):
                yield node.name


def test_at_most_one_function_name_in_five_is_a_single_word(record_property):
    names = list(function_names())
    one_word = [name for name in names if "_" not in name.strip("_")]
    share = len(one_word) / len(names)

    record_property(FIGURE, f"function names of one word: {len(one_word):,} of {len(names):,}, {share:.1%}")
    assert len(names) > 2_000
    assert share <= MOST_ONE_WORD_NAMES


def test_no_class_name_is_used_twice():
    places = defaultdict(list)
    for path, tree in TREES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{name_of(path)}:{node.lineno}")

    assert {name: lines for name, lines in places.items() if len(lines) > 1} == {}


def test_no_file_is_shorter_than_30_lines():
    short = [
        name_of(path)
        for path in FILES
        if path.stem not in CONVENTIONAL
        and path.parent != COMMAND_GROUPS
        and len(path.read_text(encoding="utf-8").splitlines()) < FEWEST_LINES
    ]

    assert short == []
