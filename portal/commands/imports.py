"""Commands: imports; and the import of a file, in the same steps as on the pages."""

from pathlib import Path

import click
from flask import Blueprint

from portal.commands.refusals import exit_if_refused
from portal.domain.imports import services
from portal.domain.imports.check_result import CheckResult
from portal.domain.imports.columns import ColumnMapping, open_for_profile
from portal.domain.imports.services import Upload
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import UnknownValueError
from portal.platform.tables.table_files import Sheet, read_bytes
from portal.platform.wording import plural

bp = Blueprint("imports_commands", __name__, cli_group="imports")

UNLISTED_SECTIONS = {"joins", "new", "kept", "arrived"}  # lists that are as long as the file
LISTED_CELL = {"units": 0, "missing-people": 1, "missing-posts": 0}  # sections of which one cell is printed
FILE_ARGUMENT = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@bp.cli.command("tidy")
def delete_expired_files() -> None:
    """Delete files that were not applied within a week. Opening the imports page does this, too."""
    with transaction():
        count = services.delete_expired_files(clock.now())
    click.echo(f"Files removed: {count}")


def import_file(
    kind: str, file: Path, profile: str | None, dry_run: bool, *, new_values: bool = False
) -> None:
    """Import the file, or with ``dry_run`` only check it; print what changes. Exits with 1 if refused.

    With ``new_values`` values that look mistyped are taken as they are.
    """
    with exit_if_refused(counted=False):
        content = read_bytes(file)
        sheet, mapping = _open_file(content, file.name, kind, profile)
        upload = Upload(kind, file.name, content, sheet, mapping, profile)
        click.echo(f"Read {plural(sheet.rows, 'row')}.", err=True)
        if dry_run:
            result = services.check_upload(upload, new_values=new_values)
        else:
            result = services.import_upload(upload, new_values=new_values, tell_writing=_tell_writing)
    click.echo(_summary_text(result))
    for line, sentence in result.notices:
        click.echo(f"Look at line {line}: {sentence}" if line else sentence)
    click.echo(
        "Dry run: nothing was changed." if dry_run else "Nothing to do." if result.is_empty else "Done."
    )


def _tell_writing() -> None:
    click.echo("Every row is good. Writing the changes …", err=True)


def _open_file(content: bytes, name: str, kind: str, profile: str | None) -> tuple[Sheet, ColumnMapping]:
    try:
        return open_for_profile(content, name, kind, profile)
    except UnknownValueError as error:
        raise click.BadParameter(str(error), param_hint="--profile") from None


def _summary_text(result: CheckResult) -> str:
    numbers = result.numbers | result.same
    lines = [f"{label}: {number}" for label, number in numbers.items()]
    for section in result.sections:
        if section.total and section.key not in UNLISTED_SECTIONS:
            cell = LISTED_CELL.get(section.key)
            lines.append(f"{section.title}: {section.total}")
            lines += [f"  {', '.join(row) if cell is None else row[cell]}" for row in section.rows]
            if section.total > len(section.rows):
                lines.append(f"  … and {section.total - len(section.rows):,} more")
    return "\n".join(lines)
