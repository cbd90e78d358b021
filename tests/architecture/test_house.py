"""What no tool in the build checks: sizes, names, hosts, and that every route says who may call it."""

import ast
import re
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from portal.pages.layout.access import refuse_undeclared_routes

ROOT = Path(__file__).resolve().parents[2]
TRACKED = [
    ROOT / name
    for name in subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
]
TEMPLATES = [p for p in TRACKED if p.suffix == ".html" and p.is_relative_to(ROOT / "portal") and p.exists()]
SOURCES = [p for p in TRACKED if p.suffix == ".py" and p.exists() and "versions" not in p.parts]


def test_no_file_outgrows_its_idea():
    assert [str(p) for p in SOURCES if len(p.read_text().splitlines()) > 800] == []


def test_what_knows_every_room_is_read_at_a_glance():
    assert len((ROOT / "portal" / "app.py").read_text().splitlines()) < 150


def test_no_function_is_longer_than_a_screen():
    long = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}"
        for path in SOURCES
        if "tests" not in path.parts
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno + 1 > 50
    ]

    assert long == []


def test_headings_of_one_level_have_one_size():
    large = re.compile(r"<h[2-6][^>]*govuk-heading-(?:xl|l)\b|<h[3-6][^>]*govuk-heading-m\b")

    assert [
        f"{p.relative_to(ROOT)}: {found}" for p in TEMPLATES for found in large.findall(p.read_text())
    ] == []


def test_no_line_of_a_template_is_longer_than_140_characters():
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in TEMPLATES
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > 140
    ]

    assert len(TEMPLATES) > 100
    assert long == []


def test_no_folder_is_a_drawer_for_odds_and_ends():
    drawers = {"common", "utils", "helpers", "core", "misc"}

    assert [str(p) for p in SOURCES if drawers & {*p.parts, p.stem}] == []


def test_no_commit_names_a_package_host_or_a_machine():
    hosts = re.compile(
        "py" r"pi\.org|pythonhost" r"ed\.org|registry\.npm" r"js|deb\.deb" r"ian|/root/|/work/", re.IGNORECASE
    )
    named = [str(p) for p in TRACKED if p.is_file() and hosts.search(p.read_bytes().decode(errors="ignore"))]

    assert [name for name in named if not name.endswith("test_house.py")] == []


def test_nothing_compiled_is_committed():
    kept = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert not re.search(r"\.(sqlite|db|pyc|br|gz)$|^portal/pages/layout/static/", kept, re.MULTILINE)


def test_a_route_that_says_nothing_stops_the_start(app):
    other = Flask("other")
    other.add_url_rule("/open", "open", lambda: "")

    with pytest.raises(RuntimeError, match="Routes without declared access: open"):
        refuse_undeclared_routes(other)
