"""The pages of an import: every import, and the four steps of one."""

from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.imports import queries, services, tasks
from portal.domain.imports.access import kinds_for
from portal.domain.imports.bad_rows import bad_rows
from portal.domain.imports.check_result import MovedError
from portal.domain.imports.column_mapping import ColumnMapping, list_repeated_columns, suggest_mapping
from portal.domain.imports.models import ImportRun
from portal.domain.imports.services import Upload
from portal.domain.records.completion_import import list_identifier_schemes
from portal.pages.imports.forms import (
    MOST_BYTES,
    ApplyForm,
    ChooseForm,
    MatchForm,
    match_form,
    match_of,
    note_gaps,
)
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.pages.layout.url_sanitising import NO_TEXT
from portal.platform import clock
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import BadInputError, ConflictError, NotFoundError
from portal.platform.jobs.models import JobState
from portal.platform.jobs.queries import find_state
from portal.platform.permissions import Permission
from portal.platform.tables.table_files import Sheet, open_sheet

bp = Blueprint("imports", __name__, url_prefix="/imports", template_folder="templates")

UNDER_WAY = frozenset({JobState.WAITING, JobState.RUNNING})
ENVELOPE = 64 * 1024  # of a form around its file
SAMPLE = 5  # rows shown while columns are matched
SHAPES = {"roster": ("post",), "completions": ("completion", "person")}
WORDS = {"roster": "Roster", "completions": "Prior completions"}


@bp.url_value_preprocessor
def _take_more(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a file be larger than other requests; before its form is read, which is before any view."""
    if endpoint == "imports.choose_file":
        request.max_content_length = MOST_BYTES + ENVELOPE


def _allowed_kinds() -> list[str]:
    """What the person may import."""
    return kinds_for(current_user.viewer)


def _delete_expired_files() -> None:
    """Let files go that waited for too long: whoever looks at imports sees to it."""
    at = clock.now()
    if queries.waits_too_long(at):
        try_to_write(lambda: services.delete_expired_files(at), "imports ran out")


def _get_run(run_id: UUID) -> ImportRun:
    """The import of this address, where the person may see it."""
    _delete_expired_files()
    found = queries.get_run(run_id)
    if found.kind not in _allowed_kinds():
        raise NotFoundError("There is no such import.")
    return found


@bp.get("")
@requires(Permission.RECORD_IMPORT)
def list_imports() -> ResponseReturnValue:
    """Every import, newest first."""
    _delete_expired_files()
    kinds = _allowed_kinds()
    asked = QueryArguments(request.args, url_for(".list_imports"))
    page = asked.page(queries.how_many(kinds))
    rows = queries.list_runs(kinds, page.offset, page.size)
    about = {"kinds": kinds, "words": WORDS, "errors": asked.errors()}
    return render_template("imports/index.html", page=page, rows=rows, **about), asked.status


@bp.route("/<any(roster, completions):kind>/new", methods=["GET", "POST"])
@requires(Permission.RECORD_IMPORT)
def choose_file(kind: str) -> ResponseReturnValue:
    """The first step: a file."""
    if not _allowed_kinds():
        raise NotFoundError("A file names people of the whole force, so imports need a role without a unit.")
    if kind not in _allowed_kinds():
        abort(403)
    form = ChooseForm(SHAPES[kind], [(p.name, p.columns["shape"]) for p in queries.list_profiles(kind)])
    if form.validate_on_submit():
        try:
            return redirect(url_for(".match_columns", run_id=_begin_import(kind, form)), 303)
        except BadInputError as error:
            form.file.errors = error.reasons
    return render_template("imports/choose.html", form=form, kind=kind)


def _begin_import(kind: str, form: ChooseForm) -> UUID:
    sent = form.file.data
    name = "".join(filter(str.isprintable, sent.filename or ""))[-100:] or "file"
    content = sent.read()
    sheet = open_sheet(content, name, SAMPLE)
    reasons = list_repeated_columns(sheet.columns)
    if reasons:
        raise BadInputError(reasons)
    profile = form.asked_profile
    if profile:
        match = ColumnMapping.from_json(queries.get_profile(kind, profile).columns)
    else:
        match = suggest_mapping(sheet.columns, form.asked_shape, queries.activity_titles())
    with transaction():
        by, at = current_user.person_id, clock.now()
        return services.begin_import(Upload(kind, name, content, sheet, match, profile), by=by, at=at).id


@bp.route("/<uuid:run_id>/columns", methods=["GET", "POST"])
@requires(Permission.RECORD_IMPORT)
def match_columns(run_id: UUID) -> ResponseReturnValue:
    """The second step: which column says what."""
    run = _get_run(run_id)
    if run.ended_as:
        return redirect(url_for(".show_check", run_id=run_id), 303)
    sheet = open_sheet(queries.file_content(run_id), run.file_name, SAMPLE)
    held = ColumnMapping.from_json(run.columns or {"shape": run.shape})
    form = match_form(held, sheet.columns, queries.activity_titles(), list_identifier_schemes())
    if form.validate_on_submit():
        chosen = match_of(form, run.shape, sheet.columns)
        if not note_gaps(form, chosen.list_gaps(sheet.columns)):
            _keep_match(run, chosen, form)
            return _look_again(run_id)
    elif request.method == "GET":
        note_gaps(form, {n: said for n, said in held.list_gaps(sheet.columns).items() if run.profile})
    return _columns_page(run, form, sheet, held)


def _keep_match(run: ImportRun, chosen: ColumnMapping, form: MatchForm) -> None:
    name = (form.save_as.data or "").strip()
    with transaction():
        services.match_columns(run.id, chosen, profile=name or run.profile)
        if name:
            by, at = current_user.person_id, clock.now()
            services.save_profile(run.kind, name, chosen, by=by, at=at)


def _columns_page(run: ImportRun, form: MatchForm, sheet: Sheet, held: ColumnMapping) -> ResponseReturnValue:
    used = {*held.columns.values(), *held.activities}
    return render_template(
        "imports/columns.html",
        run=run,
        form=form,
        match=held,
        columns=sheet.columns,
        sample=[[NO_TEXT.sub("", cell) for cell in cells] for _, cells in sheet.lines],
        unused=[column for column in sheet.columns if column not in used],
    )


def _look_again(run_id: UUID) -> ResponseReturnValue:
    """Check the file, keep what was found, and show it; a large one as a job."""
    run = queries.get_run(run_id)
    if run.rows > tasks.MOST_AT_ONCE:
        with transaction():
            job = tasks.start_check(run_id, by=current_user.person_id)
        return redirect(url_for("jobs.show_job", reference=job), 303)
    found = services.check_run(run)
    with transaction():
        services.keep_check(run_id, found, clock.now())
    return redirect(url_for(".show_check", run_id=run_id), 303)


@bp.get("/<uuid:run_id>")
@requires(Permission.RECORD_IMPORT)
def show_check(run_id: UUID) -> ResponseReturnValue:
    """The third step: what the import would do; once it has ended, what became of it."""
    run = _get_run(run_id)
    names = queries.names_of_people(run.began_by_id, run.ended_by_id)
    if run.ended_as:
        return render_template("imports/ended.html", run=run, names=names, words=WORDS)
    if run.job_id and find_state(run.job_id) in UNDER_WAY:
        return redirect(url_for("jobs.show_job", reference=run.job_id), 303)
    if run.report is None:
        return redirect(url_for(".match_columns", run_id=run_id), 303)
    form = ApplyForm(formdata=None, expected=run.digest)
    return render_template(
        "imports/check.html", run=run, report=run.report, form=form, names=names, words=WORDS
    )


@bp.post("/<uuid:run_id>/check")
@requires(Permission.RECORD_IMPORT)
def check_again(run_id: UUID) -> ResponseReturnValue:
    """Hold the file once more against what the portal knows now."""
    if _get_run(run_id).ended_as:
        return redirect(url_for(".show_check", run_id=run_id), 303)
    return _look_again(run_id)


@bp.post("/<uuid:run_id>/apply")
@requires(Permission.RECORD_IMPORT)
def apply_import(run_id: UUID) -> ResponseReturnValue:
    """The fourth step: all of it, or nothing."""
    run = _get_run(run_id)
    expected = request.form.get("expected", "")
    if run.ended_as:
        raise ConflictError(services.ENDED[run.ended_as])
    if run.rows > tasks.MOST_AT_ONCE:
        with transaction():
            job = tasks.start_apply(run_id, expected, by=current_user.person_id)
        return redirect(url_for("jobs.show_job", reference=job), 303)
    try:
        found = tasks.applied(run_id, expected, by=current_user.person_id)
    except MovedError as error:
        flash(str(error), "error")
        return redirect(url_for(".show_check", run_id=run_id), 303)
    flash(
        "The import was applied."
        if not found.is_empty
        else "There was nothing to do: the portal said the same."
    )
    return redirect(url_for(".show_check", run_id=run_id), 303)


@bp.post("/<uuid:run_id>/cancel")
@requires(Permission.RECORD_IMPORT)
def cancel_import(run_id: UUID) -> ResponseReturnValue:
    """Let the file go."""
    _get_run(run_id)
    with transaction():
        services.cancel_import(run_id, by=current_user.person_id, at=clock.now())
    flash("The import was cancelled. Nothing was changed, and the file is no longer kept.")
    return redirect(url_for(".list_imports"), 303)


@bp.get("/<uuid:run_id>/bad-rows.csv")
@requires(Permission.RECORD_IMPORT)
def bad_rows_csv(run_id: UUID) -> ResponseReturnValue:
    """The bad rows as they stand in the file, each with its line and why it is bad."""
    run = _get_run(run_id)
    sheet = open_sheet(queries.file_content(run_id), run.file_name)
    faults = run.report["faults"] if run.report else []
    return Response(
        bad_rows(sheet, faults),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="bad-rows.csv"'},
    )
