"""What several pages of imports need: the import of an address, a first mapping, and its check."""

from dataclasses import replace
from uuid import UUID

from flask import redirect, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.imports import queries, services, tasks
from portal.domain.imports.column_mapping import ColumnMapping, suggest_mapping
from portal.domain.imports.models import ImportRun
from portal.domain.imports.ready_profiles import find_saved_copy, ready_profiles, recognise_system
from portal.domain.records.completion_import import suggest_scheme
from portal.platform import clock
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import NotFoundError
from portal.platform.tables.table_files import Sheet

LOOKED_AT = 200  # rows in which people are looked for


def allowed_kinds() -> list[str]:
    """The kinds of file that the person may import."""
    return queries.list_importable_kinds(current_user.viewer)


def delete_expired_files() -> None:
    """Delete files that waited too long; runs whenever somebody opens a page of imports."""
    at = clock.now()
    if queries.has_expired_files(at):
        try_to_write(lambda: services.delete_expired_files(at), "imports expired")


def find_run(run_id: UUID) -> ImportRun:
    """The import of this address, if the person may see it.

    Raises:
        NotFoundError: There is none, or they may not.
    """
    delete_expired_files()
    run = queries.get_run(run_id)
    if run.kind not in allowed_kinds():
        raise NotFoundError("There is no such import.")
    return run


def propose_mapping(kind: str, sheet: Sheet, shape: str, *, ready: str) -> tuple[ColumnMapping, str | None]:
    """How a sheet is read, and the saved profile that says so: by the system it comes from, else by names.

    Args:
        kind: "roster" or "completions".
        sheet: The sheet.
        shape: What each row is, where no system is recognised.
        ready: The key of the ready profile that was chosen; empty to recognise one by the columns.
    """
    system = ready_profiles().get(ready) or recognise_system(kind, sheet.columns)
    if system is None:
        mapping = suggest_mapping(sheet.columns, shape, queries.activity_titles())
    elif not ready and (copy := find_saved_copy(system, sheet.columns)):
        return ColumnMapping.from_json(copy.columns), copy.name
    else:
        mapping = system.map_columns(sheet.columns, stated=bool(ready))
    return _with_scheme(mapping, sheet), None


def _with_scheme(mapping: ColumnMapping, sheet: Sheet) -> ColumnMapping:
    """The mapping with the kind of identifier by which the file names most people the portal knows."""
    if "person" not in mapping.columns:
        return mapping
    place = sheet.columns.index(mapping.columns["person"])
    texts = {cells[place].strip() for _, cells in sheet.lines[:LOOKED_AT] if place < len(cells)}
    return replace(mapping, person_by=suggest_scheme(texts, mapping.person_by))


def check_and_show(run_id: UUID, opened: Sheet | None = None) -> ResponseReturnValue:
    """Check the file, save the result and show it; a job checks a large file.

    Args:
        run_id: The import.
        opened: All of its file, if this request has opened it already.
    """
    run = queries.get_run(run_id)
    if run.rows > tasks.MOST_ROWS_AT_ONCE:
        with transaction():
            job = tasks.start_check(run_id, by=current_user.person_id)
        return redirect(url_for("jobs.show_job", reference=job), 303)
    result = services.check_run(run, opened=opened)
    with transaction():
        services.save_check(run_id, result, clock.now())
    return redirect(url_for(".show_check", run_id=run_id), 303)
