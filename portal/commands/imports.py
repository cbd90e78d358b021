"""Commands: imports; and the import of a file, in the same steps as on the pages."""

import sys
from pathlib import Path
from typing import NoReturn

import click
from flask import Blueprint

from portal.domain.imports import profiles, queries, services, tasks
from portal.domain.imports.check_result import CheckResult, MovedError, ignore_progress
from portal.domain.imports.column_mapping import ColumnMapping
from portal.domain.imports.services import Upload
from portal.domain.imports.sqlite_cache import enlarged_page_cache
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, NotFoundError, PortalError
from portal.platform.tables.table_files import Sheet, open_sheet, read_bytes

bp = Blueprint("imports_commands", __name__, cli_group="imports")

UNLISTED_SECTIONS = {"joins", "new"}  # lists that are as long as the file
LISTED_CELL = {"units": 0, "missing-people": 1, "missing-posts": 0}  # sections of which one cell is printed
FILE_ARGUMENT = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@bp.cli.command("tidy")
def delete_expired_files() -> None:
    """Delete files that were not applied within a week; opening the page of imports does so, too."""
    with transaction():
        count = services.delete_expired_files(clock.now())
    click.echo(f"Files removed: {count}")


def exit_refused(error: PortalError) -> NoReturn:
    """Print why nothing was changed, and exit with 1."""
    reasons = error.reasons if isinstance(error, BadInputError) else [str(error)]
    for reason in reasons:
        click.echo(reason, err=True)
    click.echo("Refused: nothing was changed.", err=True)
    sys.exit(1)


def import_file(kind: str, file: Path, profile: str | None, dry_run: bool) -> None:
    """Import the file, or with ``dry_run`` only check it; print what changes. Exits with 1 if refused."""
    try:
        content = read_bytes(file)
        sheet = open_sheet(content, file.name)
        upload = Upload(kind, file.name, content, sheet, _choose_mapping(kind, profile, sheet), profile)
        click.echo(f"Read {sheet.rows:,} rows.", err=True)
        result = _check_upload(upload) if dry_run else _check_and_apply(upload)
    except PortalError as error:
        exit_refused(error)
    click.echo(_summary_text(result))
    click.echo(
        "Dry run: nothing was changed." if dry_run else "Nothing to do." if result.is_empty else "Done."
    )


def _check_upload(upload: Upload) -> CheckResult:
    result = services.CHECKS[upload.kind](upload.sheet, upload.mapping, ignore_progress)
    if result.faults:
        raise BadInputError([f"Line {line}: {reason}" for line, reason in result.faults])
    return result


def _check_and_apply(upload: Upload) -> CheckResult:
    """Check and write; check again if others recorded facts meanwhile."""
    for _ in range(tasks.TRIES):
        result = _check_upload(upload)
        if result.is_empty:
            return result
        click.echo("Every row is good. Writing the changes …", err=True)
        result.stage(ignore_progress)
        try:
            with transaction(), enlarged_page_cache():
                run = services.begin_import(upload, by=None, at=clock.now())
                services.apply_import(run.id, result, result.digest, by=None, at=clock.now())
        except MovedError:
            continue
        return result
    raise MovedError


def _choose_mapping(kind: str, name: str | None, sheet: Sheet) -> ColumnMapping:
    """The column mapping of a built-in or a saved profile."""
    built_in = profiles.BUILT_IN_PROFILES[kind].get(name or "default")
    if built_in is not None:
        return built_in(sheet.columns)
    try:
        mapping = ColumnMapping.from_json(queries.get_profile(kind, name or "").columns)
    except NotFoundError:
        saved_names = [profile.name for profile in queries.list_profiles(kind)]
        names = ", ".join([*profiles.BUILT_IN_PROFILES[kind], *saved_names])
        raise click.BadParameter(f"{name!r} is not one of: {names}.", param_hint="--profile") from None
    gaps = mapping.list_gaps(sheet.columns)
    if gaps:
        raise BadInputError([f"Line 1: {sentence}." for sentence in gaps.values()])
    return mapping


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
