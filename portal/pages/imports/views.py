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
from portal.domain.imports.column_mapping import Match, automatic, repeated
from portal.domain.imports.models import ImportRun
from portal.domain.imports.services import Brought
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
from portal.pages.layout.query_arguments import Asked
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
    if endpoint == "imports.choose":
        request.max_content_length = MOST_BYTES + ENVELOPE


def _kinds() -> list[str]:
    """What the person may import."""
    return kinds_for(current_user.viewer)


def _tidy() -> None:
    """Let files go that waited for too long: whoever looks at imports sees to it."""
    at = clock.now()
    if queries.waits_too_long(at):
        try_to_write(lambda: services.tidy(at), "imports ran out")


def _run(run_id: UUID) -> ImportRun:
    """The import of this address, where the person may see it."""
    _tidy()
    found = queries.run(run_id)
    if found.kind not in _kinds():
        raise NotFoundError("There is no such import.")
    return found


@bp.get("")
@requires(Permission.RECORD_IMPORT)
def index() -> ResponseReturnValue:
    """Every import, newest first."""
    _tidy()
    kinds = _kinds()
    asked = Asked(request.args, url_for(".index"))
    page = asked.page(queries.how_many(kinds))
    rows = queries.runs(kinds, page.offset, page.size)
    about = {"kinds": kinds, "words": WORDS, "errors": asked.errors()}
    return render_template("imports/index.html", page=page, rows=rows, **about), asked.status


@bp.route("/<any(roster, completions):kind>/new", methods=["GET", "POST"])
@requires(Permission.RECORD_IMPORT)
def choose(kind: str) -> ResponseReturnValue:
    """The first step: a file."""
    if not _kinds():
        raise NotFoundError("A file names people of the whole force, so imports need a role without a unit.")
    if kind not in _kinds():
        abort(403)
    form = ChooseForm(SHAPES[kind], [(p.name, p.columns["shape"]) for p in queries.profiles(kind)])
    if form.validate_on_submit():
        try:
            return redirect(url_for(".match", run_id=_begun(kind, form)), 303)
        except BadInputError as error:
            form.file.errors = error.reasons
    return render_template("imports/choose.html", form=form, kind=kind)


def _begun(kind: str, form: ChooseForm) -> UUID:
    sent = form.file.data
    name = "".join(filter(str.isprintable, sent.filename or ""))[-100:] or "file"
    content = sent.read()
    sheet = open_sheet(content, name, SAMPLE)
    reasons = repeated(sheet.columns)
    if reasons:
        raise BadInputError(reasons)
    profile = form.asked_profile
    if profile:
        match = Match.of(queries.profile(kind, profile).columns)
    else:
        match = automatic(sheet.columns, form.asked_shape, queries.activities())
    with transaction():
        by, at = current_user.person_id, clock.now()
        return services.begin(Brought(kind, name, content, sheet, match, profile), by=by, at=at).id


@bp.route("/<uuid:run_id>/columns", methods=["GET", "POST"])
@requires(Permission.RECORD_IMPORT)
def match(run_id: UUID) -> ResponseReturnValue:
    """The second step: which column says what."""
    run = _run(run_id)
    if run.ended_as:
        return redirect(url_for(".check", run_id=run_id), 303)
    sheet = open_sheet(queries.content(run_id), run.file_name, SAMPLE)
    held = Match.of(run.columns or {"shape": run.shape})
    form = match_form(held, sheet.columns, queries.activities(), list_identifier_schemes())
    if form.validate_on_submit():
        chosen = match_of(form, run.shape, sheet.columns)
        if not note_gaps(form, chosen.gaps(sheet.columns)):
            _keep_match(run, chosen, form)
            return _look_again(run_id)
    elif request.method == "GET":
        note_gaps(form, {n: said for n, said in held.gaps(sheet.columns).items() if run.profile})
    return _columns_page(run, form, sheet, held)


def _keep_match(run: ImportRun, chosen: Match, form: MatchForm) -> None:
    name = (form.save_as.data or "").strip()
    with transaction():
        services.match_columns(run.id, chosen, profile=name or run.profile)
        if name:
            by, at = current_user.person_id, clock.now()
            services.save_profile(run.kind, name, chosen, by=by, at=at)


def _columns_page(run: ImportRun, form: MatchForm, sheet: Sheet, held: Match) -> ResponseReturnValue:
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
    run = queries.run(run_id)
    if run.rows > tasks.MOST_AT_ONCE:
        with transaction():
            job = tasks.start_check(run_id, by=current_user.person_id)
        return redirect(url_for("jobs.show_job", reference=job), 303)
    found = services.checked(run)
    with transaction():
        services.keep_check(run_id, found, clock.now())
    return redirect(url_for(".check", run_id=run_id), 303)


@bp.get("/<uuid:run_id>")
@requires(Permission.RECORD_IMPORT)
def check(run_id: UUID) -> ResponseReturnValue:
    """The third step: what the import would do; once it has ended, what became of it."""
    run = _run(run_id)
    names = queries.who(run.began_by_id, run.ended_by_id)
    if run.ended_as:
        return render_template("imports/ended.html", run=run, names=names, words=WORDS)
    if run.job_id and find_state(run.job_id) in UNDER_WAY:
        return redirect(url_for("jobs.show_job", reference=run.job_id), 303)
    if run.report is None:
        return redirect(url_for(".match", run_id=run_id), 303)
    form = ApplyForm(formdata=None, expected=run.digest)
    return render_template(
        "imports/check.html", run=run, report=run.report, form=form, names=names, words=WORDS
    )


@bp.post("/<uuid:run_id>/check")
@requires(Permission.RECORD_IMPORT)
def check_again(run_id: UUID) -> ResponseReturnValue:
    """Hold the file once more against what the portal knows now."""
    if _run(run_id).ended_as:
        return redirect(url_for(".check", run_id=run_id), 303)
    return _look_again(run_id)


@bp.post("/<uuid:run_id>/apply")
@requires(Permission.RECORD_IMPORT)
def apply(run_id: UUID) -> ResponseReturnValue:
    """The fourth step: all of it, or nothing."""
    run = _run(run_id)
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
        return redirect(url_for(".check", run_id=run_id), 303)
    flash(
        "The import was applied." if not found.empty else "There was nothing to do: the portal said the same."
    )
    return redirect(url_for(".check", run_id=run_id), 303)


@bp.post("/<uuid:run_id>/cancel")
@requires(Permission.RECORD_IMPORT)
def cancel(run_id: UUID) -> ResponseReturnValue:
    """Let the file go."""
    _run(run_id)
    with transaction():
        services.cancel(run_id, by=current_user.person_id, at=clock.now())
    flash("The import was cancelled. Nothing was changed, and the file is no longer kept.")
    return redirect(url_for(".index"), 303)


@bp.get("/<uuid:run_id>/bad-rows.csv")
@requires(Permission.RECORD_IMPORT)
def bad_rows_csv(run_id: UUID) -> ResponseReturnValue:
    """The bad rows as they stand in the file, each with its line and why it is bad."""
    run = _run(run_id)
    sheet = open_sheet(queries.content(run_id), run.file_name)
    faults = run.report["faults"] if run.report else []
    return Response(
        bad_rows(sheet, faults),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="bad-rows.csv"'},
    )
