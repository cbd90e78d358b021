"""The commands ``flask report``."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from flask import Blueprint

from portal.domain.people.queries import COMMAND_LINE
from portal.domain.reports.completion import writers as completion_writers
from portal.domain.reports.completion.export_columns import CompletionRow
from portal.domain.reports.parameters import PositionError, parse_position
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.platform import clock
from portal.platform.audit.services import log_file
from portal.platform.db import read_stamps, transaction
from portal.platform.errors import PortalError, RuleError

bp = Blueprint("report_commands", __name__, cli_group="report")


@bp.cli.command("completions")
@click.option("--directive", "reference", required=True, help="Reference of the directive, such as OIC-2026.")
@click.option("--as-at", default="", help="Day of the report; today if left out.")
@click.option(
    "--as-known-on", default="", help="Use only records entered by this day or instant; now if left out."
)
@click.option(
    "--format", "form", type=click.Choice(["csv", "xlsx", "json"]), required=True, help="Kind of file."
)
@click.option(
    "--output", required=True, type=click.Path(dir_okay=False, path_type=Path), help="File to write."
)
def completions(reference: str, as_at: str, as_known_on: str, form: str, output: Path) -> None:
    """Write the completion file of one directive, with everyone, one row for each requirement."""
    try:
        newest, ahead = read_stamps()
        position = parse_position(as_at, as_known_on, now=clock.now(), newest=newest, ahead=ahead)
        report = completion_report(COMMAND_LINE, reference, position)
        if form == "xlsx":
            completion_writers.refuse_large_workbook(report.shown.rows, completion_writers.SHEET_ROWS)
        if not output.absolute().parent.is_dir():
            raise RuleError(f"--output: {output.parent} is not a folder.")
        people, detail = report.list_person_ids(), completion_writers.audit_detail(report, form)
        with transaction():
            log_file("completions.exported", people, actor_id=None, **detail)
        _write_report(report, form, output)
    except PositionError as error:
        click.echo(f"--{error.field.replace('_', '-')}: {error}\nRefused: no file was written.", err=True)
        sys.exit(1)
    except (PortalError, OSError) as error:
        click.echo(f"{error}\nRefused: no file was written.", err=True)
        sys.exit(1)
    click.echo(f"Wrote {report.shown.rows:,} rows about {report.shown.assigned:,} people to {output}.")


def _write_report(report: CompletionReport, form: str, output: Path) -> None:
    """Write a temporary file beside ``output``, then rename it: the file is complete, or not there."""
    writers: dict[str, Callable[[Iterator[CompletionRow], Path], None]] = {
        "csv": lambda rows, path: completion_writers.write_csv(rows, path, report.columns),
        "xlsx": lambda rows, path: completion_writers.write_xlsx(rows, str(path), report, report.columns),
        "json": lambda rows, path: completion_writers.write_json(rows, path, report, report.columns),
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
