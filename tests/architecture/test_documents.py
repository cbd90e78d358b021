"""Documents are readable and true: short lines, decisions in chapters, and paths and links that exist."""

import re
import subprocess
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
DECISIONS = ROOT / "docs" / "decisions"
CHAPTERS = [path for path in DOCUMENTS if path.parent == DECISIONS and path.name != "README.md"]
ARCHIVE = [path for path in DOCUMENTS if path.is_relative_to(DECISIONS / "archive")]
NUMBERED = re.compile(r"\d{4}-")
MOST_LINES = 1_900  # of all chapters and their list together
FOLDERS = "portal|tests|docs|migrations|modules|exercises|benchmarks|requirements|tools"
PATHS = re.compile(rf"`((?:{FOLDERS})/[\w./*<>-]*)`")  # in backticks, from the top of the repository
LINKS = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)|^\[\w+\]: (\S+)", re.MULTILINE)
NUMBERS = re.compile(r"\[(\d{4})\](?!:)")  # in a chapter, of a page of the archive
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


def list_links(path):
    return [inline or defined for inline, defined in LINKS.findall(prose(path))]


def test_chapters_of_decisions_stay_short_enough_to_be_read():
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in DECISIONS.glob("*.md"))

    assert lines <= MOST_LINES, "Shorten what nobody asks any more: see docs/decisions/README.md."


def test_no_page_of_a_decision_is_added_beside_the_chapters():
    numbered = [path for path in DOCUMENTS if NUMBERED.match(path.name)]

    assert [named(path) for path in numbered if path not in ARCHIVE] == []
    assert [named(path) for path in ARCHIVE if path not in numbered or path.name[:4] > "0126"] == []


def test_every_page_of_the_archive_is_named_by_a_chapter():
    links = {(path.parent / link).resolve() for path in CHAPTERS for link in list_links(path)}

    assert len(ARCHIVE) == 124
    assert [named(path) for path in ARCHIVE if path not in links] == []


def test_every_number_in_a_chapter_leads_to_the_page_of_that_number():
    for path in CHAPTERS:
        text = path.read_text(encoding="utf-8")
        defined = dict(re.findall(r"^\[(\d{4})\]: archive/(\d{4})-", text, re.MULTILINE))

        assert set(NUMBERS.findall(text)) == set(defined), named(path)
        assert all(number == page for number, page in defined.items()), named(path)


def test_the_list_of_chapters_is_that_of_the_files():
    listed = re.findall(r"^\| \[.+?\]\((.+?)\)", (DECISIONS / "README.md").read_text(), re.MULTILINE)

    assert sorted(listed) == sorted(path.name for path in CHAPTERS)


@pytest.mark.parametrize("path", DOCUMENTS, ids=named)
def test_every_path_and_link_leads_to_something(path):
    # A page of the archive names places as they were on its day.
    places = [] if path in ARCHIVE else [place for place in PATHS.findall(prose(path)) if "<" not in place]
    links = [link for link in list_links(path) if "://" not in link]

    if path not in ARCHIVE:  # whose pages tell of their day
        assert [place for place in places if not any(ROOT.glob(place))] == []
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_list_of_pages_names_every_page():
    rows = re.findall(r"^\| ([a-z_]+\.[a-z_]+) \|", (ROOT / "docs/pages.md").read_text(), re.MULTILINE)

    assert rows == sorted(PLACES), "Run make pages."
