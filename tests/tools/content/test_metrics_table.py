"""The tables of docs/modules.md: current, and counted right."""

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.domain.catalogue import services
from tools.content import tables
from tools.content.__main__ import commands

ROOT = Path(__file__).resolve().parents[3]
DOCUMENT = ROOT / "docs" / "modules.md"


@pytest.fixture
def run():
    return lambda *arguments: CliRunner().invoke(commands, ["table", *map(str, arguments)])


def test_the_tables_that_are_committed_are_those_that_are_written():
    text = DOCUMENT.read_text("utf-8")

    written = tables.format_tables(services.check_folder(ROOT / "modules"))
    assert text == tables.insert_tables(text, written), "Run make metrics-table."


def test_what_is_counted():
    written = tables.format_tables(services.check_folder(ROOT / "modules"))
    bank = "".join(path.read_text("utf-8") for path in (ROOT / "modules/report/items").glob("*.toml"))
    items = len(re.findall(r"^\[\[item\]\]", bank, re.M)) - len(re.findall(r"^retired = true", bank, re.M))
    lessons = list((ROOT / "modules/report/lessons").iterdir())
    cases = sum(path.suffix == ".toml" for path in lessons)

    row = re.search(r"^\| report \| (\d+) \| (\d+) \| [\d,]+ \| [\d.]+ \| \d+ \| (\d+) \|", written, re.M)
    assert (int(row[1]), int(row[2]), int(row[3])) == (len(lessons), cases, items)
    table = written.partition("### Items of report\n")[2].partition("###")[0]
    heads = re.search(r"^\| Outcome \|(.*)\| All \|$", table, re.M)[1].split("|")
    counts = [int(cell) for cell in re.search(r"^\| All \|(.*)\|$", table, re.M)[1].split("|")]
    for kind, count in zip(heads, counts, strict=False):
        active = rf'(?<!retired = true\n)^kind = "{kind.strip()}"'
        assert len(re.findall(active, bank, re.M)) == count
    assert counts[-1] == items


@pytest.mark.slow
def test_the_command_writes_between_the_marks_alone(run, tmp_path):
    document = tmp_path / "modules.md"
    document.write_text(f"Before.\n\n{tables.BEGIN}\nold\n{tables.END}\n\nAfter.\n")

    shown, wrote = run(ROOT / "modules"), run(ROOT / "modules", "--into", document)

    assert (shown.exit_code, wrote.exit_code, wrote.stdout) == (0, 0, "")
    text = document.read_text("utf-8")
    assert text.startswith(f"Before.\n\n{tables.BEGIN}\n\n### All modules\n")
    assert text.endswith(f"|\n\n{tables.END}\n\nAfter.\n")
    assert shown.stdout.strip() in text
    assert "\nold\n" not in text


def test_a_document_without_marks_is_left_alone(run, tmp_path):
    document = tmp_path / "modules.md"
    document.write_text("Before.\n")

    refused = run(ROOT / "modules", "--into", document)

    assert (refused.exit_code, "where the tables belong" in refused.stderr) == (1, True)
    assert document.read_text() == "Before.\n"
