"""Documents are readable and true: short lines, numbered decisions, and paths and links that exist."""

import re
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from tests.journeys.places import PLACES

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 100
TRACKED = subprocess.run(
    ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
).stdout.splitlines()
DOCUMENTS = [
    path
    for path in (ROOT / name for name in TRACKED)
    if path.suffix == ".md" and (path.parent == ROOT or path.is_relative_to(ROOT / "docs")) and path.exists()
]
DECISIONS = [path for path in DOCUMENTS if re.match(r"\d{4}-", path.name)]
FOLDERS = "portal|tests|docs|migrations|modules|exercises|benchmarks|requirements|tools"
PATHS = re.compile(rf"`((?:{FOLDERS})/[\w./*<>-]*)`")  # in backticks, from the top of the repository
LINKS = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
CODE_BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)


def prose(path):
    """The text of a document without its blocks of code."""
    return CODE_BLOCK.sub("", path.read_text(encoding="utf-8"))


def named(path):
    return str(path.relative_to(ROOT))


def test_no_line_is_longer_than_100_characters():
    long = [
        f"{named(path)}: {line}"
        for path in DOCUMENTS
        for line in prose(path).splitlines()
        if len(line) > LONGEST and not line.lstrip().startswith(("|", "http", "![", "<!--"))
    ]

    assert len(DOCUMENTS) > 40
    assert long == []


def test_no_number_of_a_decision_is_used_twice():
    numbers = Counter(path.name[:4] for path in DECISIONS)

    assert [number for number, times in numbers.items() if times > 1] == []


def test_every_decision_has_a_status_a_date_and_its_parts():
    head = re.compile(r"# .+\n\nStatus: (?:[^\n]|\n(?!\n))+\.\s+Date: \d{1,2} \w+ \d{4}\.\n\n")
    parts = ("## Context", "## Decision", "## Consequences")
    texts = {path: path.read_text(encoding="utf-8") for path in DECISIONS}

    assert [named(path) for path, text in texts.items() if not head.match(text)] == []
    assert [named(path) for path, text in texts.items() if any(part not in text for part in parts)] == []


def test_the_list_of_decisions_is_that_of_the_files():
    listed = LINKS.findall((ROOT / "docs" / "decisions" / "README.md").read_text(encoding="utf-8"))

    assert listed == sorted(path.name for path in DECISIONS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_path_and_link_leads_to_something(path):
    places = [place for place in PATHS.findall(prose(path)) if "<" not in place]
    links = [link for link in LINKS.findall(prose(path)) if "://" not in link]

    assert [place for place in places if not any(ROOT.glob(place))] == []
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_list_of_pages_names_every_page():
    rows = re.findall(r"^\| ([a-z_]+\.[a-z_]+) \|", (ROOT / "docs/pages.md").read_text(), re.MULTILINE)

    assert rows == sorted(PLACES), "Run make pages."
