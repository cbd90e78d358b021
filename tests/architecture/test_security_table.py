"""The table of threats names places and tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = re.compile(r"^\| Threat \|.*\n\|---.*\n((?:\|.*\n)+)", re.MULTILINE)
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for rows in TABLE.findall((ROOT / "docs" / "security.md").read_text())
    for line in rows.splitlines()
]


def test_every_threat_says_where_it_is_held_and_which_test_shows_it():
    incomplete = [row[0] for row in ROWS if len(row) != 3 or not all(row) or "::test_" not in row[-1]]

    assert len(ROWS) >= 90
    assert incomplete == []


def test_every_test_named_exists():
    named = [tuple(name.split("::")) for row in ROWS for name in re.findall(r"tests/[\w/.]+::\w+", row[-1])]
    functions: dict[str, set[str]] = {}
    for file, _ in named:
        if file not in functions:
            path = ROOT / file
            tree = ast.parse(path.read_text()) if path.exists() else ast.Module([], [])
            functions[file] = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}

    assert [f"{file}::{test}" for file, test in named if test not in functions[file]] == []


def test_every_place_named_exists():
    places = {
        place for row in ROWS for place in re.findall(r"`((?:portal|docs|tests)/[\w/.]+)`", " ".join(row))
    }

    assert sorted(place for place in places if not (ROOT / place).exists()) == []
