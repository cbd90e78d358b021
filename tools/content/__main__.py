"""What ``make content-audit``, ``metrics-table``, ``legal-review``, ``sense-sheet`` and ``sense-key`` run."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from portal.commands.refusals import exit_if_refused, exit_refused
from portal.domain.catalogue import services
from portal.domain.catalogue.source_files import COMMON_SENSE
from portal.platform.errors import BadInputError
from tools.content import players, tables
from tools.content.report import audit_folder, format_audit

SHEET = "Write the sheet to this file; names and dates in it stay with words that did not change."
PAGE = "Write the page to this file instead, such as docs/modules/content-audit.md."
INTO = "Write the tables between the marks of this document instead, such as docs/modules.md."
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def commands() -> None:
    """Measure the folder of all modules as a whole, and write what its authors and a solicitor read."""


@commands.command("table")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--into", "document", type=click.Path(exists=True, dir_okay=False, path_type=Path), help=INTO)
def write_table(folder: Path, document: Path | None) -> None:
    """Show tables of all modules and guides: lessons, words, minutes, items by kind and outcome, grade."""
    written = tables.format_tables(_read_folder(folder))
    if document is None:
        click.echo(written)
        return
    _write_document(document, lambda text: tables.insert_tables(text, written))


@commands.command("legal-review")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--into", "document", type=click.Path(dir_okay=False, path_type=Path), help=SHEET)
def review_law(folder: Path, document: Path | None) -> None:
    """List every statement with a section, power, duty, number or date, its source, and room to sign it."""
    reading = _read_folder(folder)
    if document is None:
        click.echo(tables.format_sheet(reading), nl=False)
        return
    _write_document(document, lambda text: tables.format_sheet(reading, text))


@commands.command("audit")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.option("--into", "document", type=click.Path(dir_okay=False, path_type=Path), help=PAGE)
@click.option(
    "--draws",
    type=click.IntRange(1, 100_000),
    default=players.DRAWS,
    help="How many attempts of each kind to play.",
)
def audit(folder: Path, document: Path | None, draws: int) -> None:
    """Play surface strategies, a cue model and common sense against every bank; 1 if an aim is missed."""
    found = audit_folder(_read_folder(folder), draws=draws)
    if document is None:
        click.echo(format_audit(found), nl=False)
    else:
        _write_document(document, lambda _: format_audit(found))
    for sentence in found.breaches():
        click.echo(sentence, err=True)
    sys.exit(bool(found.breaches()))


@commands.command("sense-sheet")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("sheet", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--all", "everything", is_flag=True, help="Also write questions that are answered already.")
def write_sense_sheet(folder: Path, sheet: Path, everything: bool) -> None:
    """Write the questions without their keys, for a sensible reader who has not seen the lessons."""
    reading = _read_folder(folder)
    banks = [players.read_bank(checked) for checked in reading.modules]
    keys = {m.package.key: players.read_key(m.package.key, m.package.files) for m in reading.modules}
    text = players.format_sheet(banks, only_open=None if everything else keys)
    _write_document(sheet, lambda _: text)


@commands.command("sense-key")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("sheet", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--knows-lessons", is_flag=True, help="The reader had seen the lessons.")
def read_sense_key(folder: Path, sheet: Path, knows_lessons: bool) -> None:
    """Write the answers of a filled-in sheet to the common-sense.toml beside each bank of all modules."""
    reading = _read_folder(folder)
    banks = {checked.package.key: players.read_bank(checked) for checked in reading.modules}
    with exit_if_refused():
        answers = players.read_sheet(sheet.read_text("utf-8"), list(banks.values()), blind=not knows_lessons)
        for checked in reading.modules:
            name = checked.package.key
            kept = players.read_key(name, checked.package.files)
            merged = players.merge_answers(kept, answers.get(name, ()), banks[name])
            if merged:
                (folder / name / COMMON_SENSE).write_text(players.format_key(merged), "utf-8")


def _read_folder(folder: Path) -> services.CheckedFolder:
    """Read a folder whose format has no faults; the command ends if it has."""
    with exit_if_refused():
        reading = services.check_folder(folder)
        reading.faults.refuse()
    return reading


def _write_document(document: Path, change: Callable[[str], str]) -> None:
    try:
        text = document.read_text("utf-8") if document.exists() else ""
        document.write_text(change(text), "utf-8")
    except (OSError, ValueError) as error:
        exit_refused(BadInputError([f"{document} cannot be written: {error}"]))


if __name__ == "__main__":
    commands()
