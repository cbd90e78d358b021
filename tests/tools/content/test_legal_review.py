"""The legal review sheet: that it is current, and the names that stay with words."""

from pathlib import Path

from click.testing import CliRunner

from portal.domain.catalogue import services
from tests.domain.catalogue.folders import lesson, write
from tools.content import tables
from tools.content.__main__ import commands

ROOT = Path(__file__).resolve().parents[3]
SHEET = ROOT / "docs" / "modules" / "legal-review.md"


def test_the_sheet_that_is_committed_is_the_one_that_is_written():
    text = SHEET.read_text("utf-8")

    folder = services.check_folder(ROOT / "modules")
    assert text == tables.format_sheet(folder, text), "Run make legal-review."


def test_a_name_stays_with_its_words_and_goes_with_them(tmp_path):
    def run(body: str) -> str:
        folder = write(tmp_path / "modules", {"sample/lessons/second.md": lesson(body)})
        arguments = ["legal-review", str(folder), "--into", str(sheet)]
        result = CliRunner().invoke(commands, arguments)
        assert (result.exit_code, result.stdout) == (0, ""), result.stderr
        return sheet.read_text("utf-8")

    sheet = tmp_path / "sheet.md"
    text = run("You must act. It is a duty | of all.\n")
    sheet.write_text(text.replace("|  |  |\n", "| A. Okafor | 1 May 2027 |\n"), "utf-8")

    kept, lost = run("You must act. It is a duty of some.\n"), "It is a duty of some."

    (row,) = [row for row in kept.splitlines() if "You must act." in row]
    assert row.endswith("| A. Okafor | 1 May 2027 |")
    (row,) = [row for row in kept.splitlines() if lost in row]
    assert row.endswith("|  |  |")


def test_the_command_shows_the_sheet_and_refuses_a_folder_with_faults(tmp_path):
    runner, folder = CliRunner(), write(tmp_path)

    shown = runner.invoke(commands, ["legal-review", str(folder)])
    write(tmp_path, {"sample/module.toml": "x"})
    refused = runner.invoke(commands, ["legal-review", str(folder)])

    assert (shown.exit_code, shown.stdout.startswith("# Legal review\n")) == (0, True)
    assert (refused.exit_code, "This is not TOML" in refused.stderr) == (1, True)
