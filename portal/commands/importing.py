"""Imports a file on the command line, with the same steps as the pages; and how a command refuses."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import click

from portal.domain.imports import profiles, queries, services, tasks
from portal.domain.imports.check_result import CheckResult, MovedError, ignore_progress
from portal.domain.imports.column_mapping import ColumnMapping
from portal.domain.imports.services import Upload
from portal.domain.imports.sqlite_cache import enlarged_page_cache
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, NotFoundError, PortalError
from portal.platform.tables.table_files import Sheet, open_sheet, read_bytes


def exit_refused(error: PortalError) -> NoReturn:
    """Say why nothing was changed, and end with the code of a refusal."""
    reasons = error.reasons if isinstance(error, BadInputError) else [str(error)]
    for reason in reasons:
        click.echo(reason, err=True)
    click.echo("Refused: nothing was changed.", err=True)
    sys.exit(1)


UNLISTED_SECTIONS = {"joins", "new"}  # lists that are as long as the file


LISTED_CELL = {"units": 0, "missing-people": 1, "missing-posts": 0}  # of these, one cell of each row says it


FILE_ARGUMENT = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


def import_file(kind: str, file: Path, profile: str | None, dry_run: bool) -> None:
    """Import the file, or with ``dry_run`` only check it; print what changes. Exits with 1 if refused."""
    try:
        content = read_bytes(file)
        sheet = open_sheet(content, file.name)
        brought = Upload(kind, file.name, content, sheet, _choose_mapping(kind, profile, sheet), profile)
        click.echo(f"Read {sheet.rows:,} rows.", err=True)
        found = _check_upload(brought) if dry_run else _check_and_apply(brought)
    except PortalError as error:
        exit_refused(error)
    click.echo(_summary_text(found))
    click.echo(
        "Dry run: nothing was changed." if dry_run else "Nothing to do." if found.is_empty else "Done."
    )


def _check_upload(brought: Upload) -> CheckResult:
    found = services.CHECKS[brought.kind](brought.sheet, brought.match, ignore_progress)
    if found.faults:
        raise BadInputError([f"Line {line}: {reason}" for line, reason in found.faults])
    return found


def _check_and_apply(brought: Upload) -> CheckResult:
    """Check and write; from the start where something was recorded in between."""
    for _ in range(tasks.TRIES):
        found = _check_upload(brought)
        if found.is_empty:
            return found
        click.echo("Every row is good. Writing, with all that follows from it …", err=True)
        found.stage(ignore_progress)
        try:
            with transaction(), enlarged_page_cache():
                run = services.begin_import(brought, by=None, at=clock.now())
                services.apply_import(run.id, found, found.digest, by=None, at=clock.now())
        except MovedError:
            continue
        return found
    raise MovedError


def _choose_mapping(kind: str, name: str | None, sheet: Sheet) -> ColumnMapping:
    """How the file is read: as its kind's own format says, or as a profile does."""
    ready = profiles.READY[kind].get(name or "default")
    if ready is not None:
        return ready(sheet.columns)
    try:
        match = ColumnMapping.from_json(queries.get_profile(kind, name or "").columns)
    except NotFoundError:
        names = [*profiles.READY[kind], *(held.name for held in queries.list_profiles(kind))]
        raise click.BadParameter(
            f"{name!r} is not one of: {', '.join(names)}.", param_hint="--profile"
        ) from None
    gaps: Mapping[str, str] = match.list_gaps(sheet.columns)
    if gaps:
        raise BadInputError([f"Line 1: {said}." for said in gaps.values()])
    return match


def _summary_text(found: CheckResult) -> str:
    numbers = found.numbers | found.same
    lines = [f"{words}: {number}" for words, number in numbers.items()]
    for section in found.sections:
        if section.total and section.key not in UNLISTED_SECTIONS:
            place = LISTED_CELL.get(section.key)
            lines.append(f"{section.title}: {section.total}")
            lines += [f"  {', '.join(row) if place is None else row[place]}" for row in section.rows]
            if section.total > len(section.rows):
                lines.append(f"  … and {section.total - len(section.rows):,} more")
    return "\n".join(lines)
