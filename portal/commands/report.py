"""The commands ``flask report``."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click
from flask import Blueprint

from config import current_settings
from portal.domain.people.visibility import COMMAND_LINE
from portal.domain.reports import completion_files
from portal.domain.reports import packs as reports_packs
from portal.domain.reports.completion_rows import CompletionRow
from portal.domain.reports.packs import MadePack, write_pack
from portal.domain.reports.parameters import Position, PositionError, read_position
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.feature import find_parts
from portal.platform import clock
from portal.platform.audit import log_file
from portal.platform.db import transaction
from portal.platform.errors import PortalError, RuleError
from portal.platform.wording import plural

bp = Blueprint("report_commands", __name__, cli_group="report")


_DIRECTIVE = click.option(
    "--directive", "reference", required=True, help="Reference of the directive, such as OIC-2026."
)
_AS_AT = click.option("--as-at", default="", help="Day of the report; today if left out.")
_AS_KNOWN_ON = click.option(
    "--as-known-on", default="", help="Use only records entered by this day or instant; now if left out."
)


@bp.cli.command("completions")
@_DIRECTIVE
@_AS_AT
@_AS_KNOWN_ON
@click.option(
    "--format", "form", type=click.Choice(["csv", "xlsx", "json"]), required=True, help="Kind of file."
)
@click.option(
    "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write."
)
def completions(reference: str, as_at: str, as_known_on: str, form: str, output: Path) -> None:
    """Write the completion file of one directive, with everyone, one row for each requirement."""
    with _report_refusals():
        report = completion_report(
            COMMAND_LINE, reference, read_position(as_at, as_known_on, now=clock.now())
        )
        if form == "xlsx":
            completion_files.refuse_large_workbook(report.shown.rows, completion_files.SHEET_ROWS)
        if not output.absolute().parent.is_dir():
            raise RuleError(f"--output: {output.parent} is not a folder.")
        people, detail = report.list_person_ids(), completion_files.audit_detail(report, form)
        with transaction():
            log_file("completions.exported", people, actor_id=None, **detail)
        _write_report(report, form, output)
    about = plural(report.shown.assigned, "person", "people")
    click.echo(f"Wrote {plural(report.shown.rows, 'row')} about {about} to {output}.")


@bp.cli.command("pack")
@click.option("--directive", "reference", help="Reference of a directive, such as OIC-2026: its own pack.")
@click.option("--recommendation", "key", help="Key of a recommendation, or “all”: the answer of the force.")
@_AS_AT
@_AS_KNOWN_ON
@click.option(
    "--output",
    "--into",
    "output",
    required=True,
    type=click.Path(path_type=Path),
    help="ZIP to write, or a folder in which it gets its own name.",
)
@click.option("--foi", is_flag=True, help="Numbers only, small ones hidden; nobody is named.")
def export_pack(
    reference: str | None, key: str | None, as_at: str, as_known_on: str, output: Path, foi: bool
) -> None:
    """Write the pack of one directive, or the answer to one recommendation or to all.

    Without --foi it names people: everyone under the directive, and the owners of recommendations.
    """
    with _report_refusals():
        if (reference is None) == (key is None):
            raise RuleError("Give either --directive or --recommendation.")
        position = read_position(as_at, as_known_on, now=clock.now())
        if key is None:
            made = _export_directive_pack(str(reference), position, output, foi=foi)
        else:
            made = _find_answer_maker()(key, position, output, foi=foi)
    click.echo(made)


def _find_answer_maker() -> Callable[..., str]:
    """What makes the answer to recommendations, which a feature does."""
    parts = find_parts(current_settings().features_on, "report.pack")
    if not parts:
        raise RuleError("Answer packs are switched off: see the setting FEATURES.")
    return parts[0][1]


def _export_directive_pack(reference: str, position: Position, output: Path, *, foi: bool) -> str:
    """Write the pack of a directive, and say where it is."""
    name, settings = reports_packs.FOI if foi else reports_packs.INSPECTION, current_settings()
    report = completion_report(COMMAND_LINE, reference, position)
    reports_packs.refuse_pack(report, name, settings.small_number)
    report = replace(report, position=reports_packs.settle_position(position))
    target = choose_target(output, reports_packs.pack_name(report, name))
    made = _write_pack(report, name, target)
    return f"Wrote {target}.\nSHA-256 {made.sha256}"


def choose_target(output: Path, name: str) -> Path:
    """The file to write: as it was named, or under its own name in the folder that was named."""
    target = output / name if output.is_dir() else output
    if not target.absolute().parent.is_dir():
        raise RuleError(f"--output: {target.parent} is not a folder.")
    return target


@contextmanager
def _report_refusals() -> Iterator[None]:
    """Say why a file is refused, and end the command."""
    try:
        yield
    except PositionError as error:
        click.echo(f"--{error.field.replace('_', '-')}: {error}\nRefused: no file was written.", err=True)
        sys.exit(1)
    except (PortalError, OSError) as error:
        click.echo(f"{error}\nRefused: no file was written.", err=True)
        sys.exit(1)


def _write_pack(report: CompletionReport, name: str, target: Path) -> MadePack:
    """Write the pack beside ``target`` and log it, then rename it: the file is complete, or not there."""
    settings = current_settings()
    with (
        tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.absolute().parent) as scratch,
        click.progressbar(length=report.shown.rows, label="Writing rows", file=sys.stderr) as bar,
    ):
        draft, folder = Path(scratch) / "draft", Path(scratch) / "pack"
        folder.mkdir()
        made = write_pack(
            report,
            name,
            folder,
            draft,
            force=settings.force_name,
            small=settings.small_number,
            done=lambda rows: bar.update(rows - bar.pos),
        )
        people = set() if name == reports_packs.FOI else report.list_person_ids()
        detail = completion_files.audit_detail(report, "zip")
        detail |= reports_packs.audit_detail(name, made.rows, made.sha256)
        with transaction():
            log_file("completions.exported", people, actor_id=None, **detail)
        with draft.open("rb") as written:
            os.fsync(written.fileno())
        draft.replace(target)
    return made


def _write_report(report: CompletionReport, form: str, output: Path) -> None:
    """Write a temporary file beside ``output``, then rename it: the file is complete, or not there."""
    writers: dict[str, Callable[[Iterator[CompletionRow], Path], None]] = {
        "csv": lambda rows, path: completion_files.write_csv(rows, path, report.columns),
        "xlsx": lambda rows, path: completion_files.write_xlsx(rows, str(path), report, report.columns),
        "json": lambda rows, path: completion_files.write_json(rows, path, report, report.columns),
    }
    folder = output.absolute().parent
    handle, name = tempfile.mkstemp(prefix=f".{output.name}.", dir=folder)
    os.close(handle)
    try:
        with click.progressbar(
            report.rows(), length=report.shown.rows, label="Writing rows", file=sys.stderr
        ) as rows:
            writers[form](iter(rows), Path(name))
        with Path(name).open("rb") as written:
            os.fsync(written.fileno())
        Path(name).replace(output)
    finally:
        Path(name).unlink(missing_ok=True)
