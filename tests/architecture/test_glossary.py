"""The glossary names every table of the database, and each term once."""

import re
from collections import Counter
from pathlib import Path

from portal.app import TABLES
from portal.platform.db import Base

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "glossary.md").read_text(encoding="utf-8")
TERMS = [
    line.split("|")[1].strip()
    for line in PAGE.splitlines()
    if line.startswith("| ") and not line.startswith(("| ---", "| Term", "| Table"))
]


def test_every_table_has_its_line():
    rows = {match.group(1) for term in TERMS if (match := re.fullmatch(r"`(\w+)`", term))}
    tables = set(Base.metadata.tables)

    assert TABLES
    assert sorted(tables - rows) == []
    assert sorted(rows - tables) == []


def test_no_term_is_explained_twice():
    assert [term for term, times in Counter(TERMS).items() if times > 1] == []


def test_every_line_explains_its_term():
    assert [line for line in PAGE.splitlines() if line.startswith("| ") and "|  |" in line] == []
