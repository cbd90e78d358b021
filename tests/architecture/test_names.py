"""Names say what a thing is or does, a class name is used once, and no file holds next to nothing."""

import ast
from collections import defaultdict
from pathlib import Path

from tests.times import FIGURE

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "portal").rglob("*.py"))
MOST_ONE_WORD_NAMES = 0.20
FEWEST_LINES = 30
# Short files that a reader looks for by their name.
CONVENTIONAL = {"__init__", "blueprint", "errors", "feature", "forms", "models", "personal_data", "queries"}
CONVENTIONAL |= {"services", "views"}
COMMANDS = ROOT / "portal" / "commands"  # a file for each group of commands


def test_at_most_one_function_name_in_five_is_one_word_and_no_class_name_is_used_twice(record_property):
    functions: list[str] = []
    places = defaultdict(list)  # by the name of a class
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("__"):
                functions.append(node.name)  # Python itself calls the others
    one_word = [name for name in functions if "_" not in name.strip("_")]
    share = len(one_word) / len(functions)

    record_property(
        FIGURE, f"function names of one word: {len(one_word):,} of {len(functions):,}, {share:.1%}"
    )
    assert len(functions) > 2_000
    assert share <= MOST_ONE_WORD_NAMES
    assert {name: lines for name, lines in places.items() if len(lines) > 1} == {}


def test_no_file_is_shorter_than_30_lines():
    short = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.stem not in CONVENTIONAL
        and path.parent != COMMANDS
        and len(path.read_text(encoding="utf-8").splitlines()) < FEWEST_LINES
    ]

    assert short == []
