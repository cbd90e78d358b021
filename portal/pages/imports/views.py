"""Pages of imports: the list of all, and the four steps of one."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import current_settings
from portal.domain.directives import named_roles
from portal.domain.imports import kept_rows, queries, ready_profiles, services, tasks
from portal.domain.imports.check_result import KEPT, MovedError, bad_rows_csv
from portal.domain.imports.column_mapping import ColumnMapping, list_repeated_columns
from portal.domain.imports.file_opening import open_for_mapping
from portal.domain.imports.folder import queries as folder_queries
from portal.domain.imports.formats import FORMATS
from portal.domain.imports.models import ImportRun
from portal.domain.imports.ready_profiles import ReadyProfile
from portal.domain.imports.services import Upload
from portal.domain.imports.trend import list_trends
from portal.domain.records.completion_import import list_identifier_schemes
from portal.pages.imports.forms import (
    MOST_BYTES,
    ApplyForm,
    ChooseForm,
    MappingForm,
    add_gap_errors,
    build_mapping_form,
    read_mapping,
)
from portal.pages.imports.kept_views import add_kept_pages
from portal.pages.imports.runs import (
    LOOKED_AT,
    allowed_kinds,
    check_and_show,
    delete_expired_files,
    find_run,
    propose_mapping,
)
from portal.pages.imports.sheet_views import add_sheet_pages
from portal.pages.imports.value_forms import build_values_form, group_by_column, read_answers
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import NO_TEXT, QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, ConflictError, NotFoundError
from portal.platform.jobs.models import JobState
from portal.platform.jobs.queries import find_state
from portal.platform.permissions import Permission
from portal.platform.tables.table_files import Sheet

bp = Blueprint("imports", __name__, url_prefix="/imports", template_folder="templates")

UNFINISHED = frozenset({JobState.WAITING, JobState.RUNNING})
ENVELOPE = 64 * 1024  # bytes of a form around its file
MOST_QUESTIONS = 100  # on one page; the page comes again with those that are left
SAMPLE = 5  # rows shown while columns are matched
SHAPES = {"roster": ("post",), "completions": ("completion", "person")}
KIND_WORDS = {"roster": "Roster", "completions": "Prior completions"}
END_WORDS = {"applied": "Applied", "cancelled": "Cancelled", "lapsed": "Deleted after a week"}


@bp.url_value_preprocessor
def _allow_large_file(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a file be larger than other requests; runs before the form is read, so before any view."""
    if endpoint == "imports.choose_file":
        request.max_content_length = MOST_BYTES + ENVELOPE


@bp.get("")
@requires(Permission.RECORD_IMPORT)
def list_imports() -> ResponseReturnValue:
    """List all imports, or those that are not finished, newest first."""
    delete_expired_files()
    kinds = allowed_kinds()
    arguments = QueryArguments(request.args, url_for(".list_imports"))
    unfinished = arguments.choice("state", ("unfinished",)) == "unfinished"
    page = arguments.page(queries.count_runs(kinds, unfinished=unfinished))
    html = render_template(
        "imports/index.html",
        page=page,
        rows=queries.list_runs(kinds, page.offset, page.size, unfinished=unfinished),
        kinds=kinds,
        kept_people=kept_rows.count_people(clock.now()) if "completions" in kinds else 0,
        unfinished=unfinished,
        errors=arguments.errors(),
        trends=[] if unfinished else list_trends(kinds, clock.today()),
        words=KIND_WORDS,
        end_words=END_WORDS,
        folder=folder_queries.read_folder_status(kinds, clock.now()) if _watches_folder(kinds) else None,
    )
    return html, arguments.status


@bp.get("/formats")
@requires(Permission.RECORD_IMPORT)
def show_formats() -> ResponseReturnValue:
    """Show what each column of the portal's own formats means."""
    return render_template("imports/formats.html", formats=FORMATS)


@bp.get("/formats/<name>")
@requires(Permission.RECORD_IMPORT)
def download_example(name: str) -> ResponseReturnValue:
    """Download the example of a format."""
    texts = {form.name: form.example for form in FORMATS}
    if name not in texts:
        raise NotFoundError("There is no such example.")
    kind = "text/csv" if name.endswith(".csv") else "application/toml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(texts[name], content_type=f"{kind}; charset=utf-8", headers=headers)


def _watches_folder(kinds: list[str]) -> bool:
    return bool(kinds and current_settings().import_folder.path)


@bp.route("/<any(roster, completions):kind>/new", methods=["GET", "POST"])
@requires(Permission.RECORD_IMPORT)
def choose_file(kind: str) -> ResponseReturnValue:
    """The first step: choose a file."""
    if not allowed_kinds():
        raise NotFoundError("An import covers the whole force, so you need a role for the whole force.")
    if kind not in allowed_kinds():
        abort(403)
    saved = [(profile.name, profile.columns["shape"]) for profile in queries.list_profiles(kind)]
    form = ChooseForm(SHAPES[kind], saved, ready_profiles.list_ready_profiles(kind))
    if form.validate_on_submit():
        try:
            run_id, settled = _begin_import(kind, form)
            return redirect(url_for(".match_columns" if settled else ".match_sheet", run_id=run_id), 303)
        except BadInputError as error:
            form.file.errors = error.reasons
    return render_template("imports/choose.html", form=form, kind=kind)


def _begin_import(kind: str, form: ChooseForm) -> tuple[UUID, bool]:
    """Store the file; the import, and whether it is beyond doubt which table of the file is meant."""
    file = form.file.data
    name = "".join(filter(str.isprintable, file.filename or ""))[-100:] or "file"
    content = file.read()
    saved = queries.get_profile(kind, form.chosen_profile) if form.chosen_profile else None
    if saved:
        mapping, profile = ColumnMapping.from_json(saved.columns), saved.name
    else:
        mapping, profile = ColumnMapping(form.chosen_shape, ready=form.chosen_ready or ""), None
    sheet = open_for_mapping(content, name, mapping, LOOKED_AT)
    reasons = list_repeated_columns(sheet.columns)
    if reasons and sheet.settled:
        raise BadInputError(reasons)
    if sheet.settled and not saved:
        mapping, profile = propose_mapping(kind, sheet, form.chosen_shape, ready=mapping.ready)
    if sheet.settled and sheet.glimpses:
        mapping = replace(mapping, sheet=sheet.name)
    upload = Upload(kind, name, content, sheet, mapping, profile)
    with transaction():
        run = services.begin_import(upload, by=current_user.person_id, at=clock.now())
        return run.id, sheet.settled


@bp.route("/<uuid:run_id>/columns", methods=["GET", "POST"])
@requires(Permission.RECORD_IMPORT)
def match_columns(run_id: UUID) -> ResponseReturnValue:
    """The second step: match the columns of the file."""
    run = find_run(run_id)
    if run.ended_as:
        return redirect(url_for(".show_check", run_id=run_id), 303)
    saved_mapping = replace(services.mapping_of_run(run), documented=False)  # from now on a person says it
    sheet = services.open_run_sheet(run, saved_mapping, SAMPLE if request.method == "GET" else None)
    if not sheet.settled:
        return redirect(url_for(".match_sheet", run_id=run_id), 303)
    ready = ready_profiles.ready_profiles().get(saved_mapping.ready)
    form = build_mapping_form(
        saved_mapping,
        sheet.columns,
        queries.activity_titles(),
        list_identifier_schemes(),
        save_as=_unused_name(run.kind, ready.title) if ready and not run.profile else "",
    )
    if form.validate_on_submit():
        mapping = read_mapping(form, saved_mapping, sheet.columns)
        if sheet.glimpses:
            mapping = replace(mapping, sheet=sheet.name)
        if not add_gap_errors(form, mapping.list_gaps(sheet.columns)):
            _save_mapping(run, mapping, form)
            return _ask_or_check(run_id, sheet)
    elif request.method == "GET" and (run.profile or ready):
        add_gap_errors(form, saved_mapping.list_gaps(sheet.columns))
    return _render_columns(run, form, sheet, saved_mapping, ready)


def _unused_name(kind: str, name: str) -> str:
    """The name for a new profile; empty if a saved one has it, which would be replaced."""
    return "" if name in {profile.name for profile in queries.list_profiles(kind)} else name


def _save_mapping(run: ImportRun, mapping: ColumnMapping, form: MappingForm) -> None:
    name = (form.save_as.data or "").strip()
    with transaction():
        services.match_columns(run.id, mapping, profile=name or run.profile)
        if name:
            by, at = current_user.person_id, clock.now()
            services.save_profile(run.kind, name, mapping, by=by, at=at)


def _render_columns(
    run: ImportRun, form: MappingForm, sheet: Sheet, mapping: ColumnMapping, ready: ReadyProfile | None
) -> ResponseReturnValue:
    used = {*mapping.columns.values(), *mapping.activities}
    return render_template(
        "imports/columns.html",
        run=run,
        form=form,
        mapping=mapping,
        ready=ready,
        looks_so=ready is not None and ready.fits(sheet.columns),
        columns=sheet.columns,
        notes=sheet.notes,
        sheet=NO_TEXT.sub("", sheet.name) if sheet.glimpses else "",
        other_sheets=[NO_TEXT.sub("", other.name) for other in sheet.glimpses if other.name != sheet.name],
        sample=[[NO_TEXT.sub("", cell) for cell in cells] for _, cells in sheet.lines[:SAMPLE]],
        unused=[column for column in sheet.columns if column not in used],
    )


def _ask_or_check(run_id: UUID, opened: Sheet) -> ResponseReturnValue:
    """Ask what values of the opened file mean where only a person can say; else check it."""
    if services.read_run_values(queries.get_run(run_id), opened).questions:
        return redirect(url_for(".match_values", run_id=run_id), 303)
    return check_and_show(run_id, opened)


@bp.route("/<uuid:run_id>/values", methods=["GET", "POST"])
@requires(Permission.RECORD_IMPORT)
def match_values(run_id: UUID) -> ResponseReturnValue:
    """The second step, where it is needed: say what values of the file mean."""
    run = find_run(run_id)
    if run.ended_as:
        return redirect(url_for(".show_check", run_id=run_id), 303)
    mapping = services.mapping_of_run(run)
    sheet = services.open_run_sheet(run, mapping)
    values = services.read_run_values(run, sheet)
    every_question = values.questions
    questions = every_question[:MOST_QUESTIONS]
    if not questions:
        return redirect(url_for(".match_columns", run_id=run_id), 303)
    form = build_values_form(questions, values.known)
    if form.validate_on_submit():
        with transaction():
            by, at = current_user.person_id, clock.now()
            services.answer_questions(run_id, read_answers(form, every_question), by=by, at=at)
        return _ask_or_check(run_id, sheet)
    return render_template(
        "imports/values.html", run=run, form=form, groups=group_by_column(questions, mapping)
    )


@bp.get("/<uuid:run_id>")
@requires(Permission.RECORD_IMPORT)
def show_check(run_id: UUID) -> ResponseReturnValue:
    """The third step: show what the import would do; once it has ended, how it ended."""
    run = find_run(run_id)
    names = queries.names_in_run(run)
    if run.ended_as:
        is_kept = run.ended_as == "applied" and queries.is_file_kept(run.id)
        return render_template(
            "imports/ended.html",
            run=run,
            names=names,
            words=KIND_WORDS,
            end_words=END_WORDS,
            is_kept=is_kept,
            kept_label=KEPT,
            kept_people=_count_arrived() if run.kind == "roster" and run.ended_as == "applied" else 0,
        )
    if run.job_id and find_state(run.job_id) in UNFINISHED:
        return redirect(url_for("jobs.show_job", reference=run.job_id), 303)
    if run.report is None:
        return redirect(url_for(".match_columns", run_id=run_id), 303)
    form = ApplyForm(formdata=None, expected=run.digest)
    held = folder_queries.find_waiting_file(run.id) if run.from_folder else None
    return render_template(
        "imports/check.html", run=run, report=run.report, form=form, names=names, held=held
    )


def _count_arrived() -> int:
    """The number of people of kept rows who are on the roster now."""
    if "completions" not in allowed_kinds():
        return 0
    return len({row.completion.person_id for row in kept_rows.list_ready(clock.now())})


@bp.post("/<uuid:run_id>/check")
@requires(Permission.RECORD_IMPORT)
def check_again(run_id: UUID) -> ResponseReturnValue:
    """Check the file once more."""
    if find_run(run_id).ended_as:
        return redirect(url_for(".show_check", run_id=run_id), 303)
    return check_and_show(run_id)


@bp.post("/<uuid:run_id>/again")
@requires(Permission.RECORD_IMPORT)
def begin_again(run_id: UUID) -> ResponseReturnValue:
    """Show what a file that was applied would change now, as a new import."""
    find_run(run_id)
    with transaction():
        again = services.begin_again(run_id, by=current_user.person_id, at=clock.now()).id
    run = queries.get_run(again)
    return _ask_or_check(again, services.open_run_sheet(run, services.mapping_of_run(run)))


@bp.post("/<uuid:run_id>/apply")
@requires(Permission.RECORD_IMPORT, recent=True)
def apply_import(run_id: UUID) -> ResponseReturnValue:
    """The fourth step: apply all of it, or nothing."""
    run = find_run(run_id)
    expected = request.form.get("expected", "")
    if run.ended_as:
        raise ConflictError(services.ENDED_MESSAGES[run.ended_as])
    if run.rows > tasks.MOST_ROWS_AT_ONCE:
        with transaction():
            job = tasks.start_apply(run_id, expected, by=current_user.person_id)
        return redirect(url_for("jobs.show_job", reference=job), 303)
    try:
        result = tasks.check_and_apply(run_id, expected, by=current_user.person_id)
    except MovedError as error:
        flash(str(error), "error")
        return redirect(url_for(".show_check", run_id=run_id), 303)
    flash("Nothing to do: the portal has the same data already." if result.is_empty else "Import applied.")
    return redirect(url_for(".show_check", run_id=run_id), 303)


@bp.route("/<uuid:run_id>/cancel", methods=["GET", "POST"])
@requires(Permission.RECORD_IMPORT)
def cancel_import(run_id: UUID) -> ResponseReturnValue:
    """Ask whether the import is to be cancelled; cancel it, and delete its file."""
    run = find_run(run_id)
    if request.method == "GET":
        ended = redirect(url_for(".show_check", run_id=run_id), 303) if run.ended_as else None
        return ended or render_template("imports/confirm_cancel.html", run=run)
    with transaction():
        services.cancel_import(run_id, by=current_user.person_id, at=clock.now())
    flash("Import cancelled. Nothing was changed, and the file was deleted.")
    return redirect(url_for(".list_imports"), 303)


@bp.get("/<uuid:run_id>/bad-rows.csv")
@requires(Permission.RECORD_IMPORT)
def download_bad_rows(run_id: UUID) -> ResponseReturnValue:
    """Download the bad rows as they are in the file, each with its line and why it is bad."""
    run = find_run(run_id)
    sheet = services.open_run_sheet(run, services.mapping_of_run(run))
    faults = run.report["faults"] if run.report else []
    return Response(
        bad_rows_csv(sheet, faults),
        mimetype="text/csv",
        headers={"Content-Disposition": 'attachment; filename="bad-rows.csv"'},
    )


@bp.get("/roles")
@requires(Permission.ROSTER_IMPORT)
def list_unnamed_roles() -> ResponseReturnValue:
    """Roles of today's posts that no directive names, the likeliest typing errors first."""
    if "roster" not in allowed_kinds():
        raise NotFoundError("A roster covers the whole force, so you need a role for the whole force.")
    return render_template("imports/roles.html", roles=named_roles.list_unnamed_roles(clock.today()))


add_sheet_pages(bp)
add_kept_pages(bp)
