"""Pages of imports: the list of all, and the four steps of one."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from wtforms.fields import SelectChoice

from config import current_settings
from portal.domain.directives import queries
from portal.domain.imports import columns, services, staged
from portal.domain.imports import queries as imports_queries
from portal.domain.imports.check_result import KEPT, MovedError, bad_rows_csv
from portal.domain.imports.columns import (
    ColumnMapping,
    ReadyProfile,
    find_saved_copy,
    list_formats,
    list_repeated_columns,
    open_for_mapping,
    ready_profiles,
    recognise_system,
    suggest_mapping,
)
from portal.domain.imports.models import ImportRun
from portal.domain.imports.services import Upload
from portal.domain.records.completion_import import list_identifier_schemes, suggest_scheme
from portal.pages.imports.forms import (
    MOST_BYTES,
    ApplyForm,
    ChooseForm,
    MappingForm,
    add_gap_errors,
    build_mapping_form,
    build_values_form,
    group_by_column,
    read_answers,
    read_mapping,
)
from portal.pages.layout.access import requires
from portal.pages.layout.fields import button, radios
from portal.pages.layout.forms import PortalForm
from portal.pages.layout.query_arguments import NO_TEXT, QueryArguments
from portal.platform import clock
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import BadInputError, ConflictError, NotFoundError
from portal.platform.jobs.models import JobState
from portal.platform.jobs.services import find_state
from portal.platform.permissions import Permission
from portal.platform.tables.sheet_choice import SheetGlimpse
from portal.platform.tables.table_files import Sheet
from portal.platform.wording import plural

# What several pages of imports need: the import of an address, a first mapping, and its check.

LOOKED_AT = 200  # rows in which people are looked for


def allowed_kinds() -> list[str]:
    """The kinds of file that the person may import."""
    return imports_queries.list_importable_kinds(current_user.viewer)


def delete_expired_files() -> None:
    """Delete files that waited too long; runs whenever somebody opens a page of imports."""
    at = clock.now()
    if imports_queries.has_expired_files(at):
        try_to_write(lambda: services.delete_expired_files(at), "imports expired")


def find_run(run_id: UUID) -> ImportRun:
    """The import of this address, if the person may see it."""
    delete_expired_files()
    run = imports_queries.get_run(run_id)
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
        mapping = suggest_mapping(sheet.columns, shape, imports_queries.activity_titles())
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
    run = imports_queries.get_run(run_id)
    if run.rows > services.MOST_ROWS_AT_ONCE:
        with transaction():
            job = services.start_check(run_id, by=current_user.person_id)
        return redirect(url_for("jobs.show_job", reference=job), 303)
    result = services.check_run(run, opened=opened)
    with transaction():
        services.save_check(run_id, result, clock.now())
    return redirect(url_for(".show_check", run_id=run_id), 303)


# The page that asks which sheet of a workbook is the list.


class SheetForm(PortalForm):
    """The sheets to choose from; by their place, because a name may be anything."""

    sheet = radios(
        "Which sheet is the list?", required="Choose a sheet", label_classes="govuk-fieldset__legend--m"
    )
    send = button("Continue")


def add_sheet_pages(bp: Blueprint) -> None:
    """Add the page to the blueprint of imports."""
    bp.add_url_rule("/<uuid:run_id>/sheet", "match_sheet", match_sheet, methods=["GET", "POST"])


@requires(Permission.RECORD_IMPORT)
def match_sheet(run_id: UUID) -> ResponseReturnValue:
    """The second step, where a workbook has several sheets: choose the one with the list."""
    run = find_run(run_id)
    mapping = services.mapping_of_run(run)
    if run.ended_as:
        return redirect(url_for(".show_check", run_id=run_id), 303)
    likeliest = services.open_run_sheet(run, mapping, LOOKED_AT)
    glimpses = [(place, glimpse) for place, glimpse in enumerate(likeliest.glimpses) if glimpse.has_table]
    if not glimpses:
        return redirect(url_for(".match_columns", run_id=run_id), 303)
    names = {str(place): glimpse.name for place, glimpse in glimpses}
    proposed = next(place for place, name in names.items() if name == likeliest.name)
    form = SheetForm(sheet=proposed)
    form.sheet.choices = [_choice_of_sheet(place, glimpse) for place, glimpse in glimpses]
    if form.validate_on_submit():
        try:
            _choose_sheet(run, names[form.sheet.data], likeliest)
            return redirect(url_for(".match_columns", run_id=run_id), 303)
        except BadInputError as error:
            form.sheet.errors = error.reasons
    return render_template(
        "imports/sheet.html",
        run=run,
        form=form,
        glimpses=[glimpse for _, glimpse in glimpses],
        others=[glimpse for glimpse in likeliest.glimpses if not glimpse.has_table],
        without_unseen=lambda text: NO_TEXT.sub("", text),
    )


def _choice_of_sheet(place: int, glimpse: SheetGlimpse) -> SelectChoice:
    hint = f"{plural(len(glimpse.columns), 'column')}, up to {plural(glimpse.rows, 'row')}"
    hint += ", hidden in the workbook" if glimpse.hidden else ""
    return SelectChoice(value=str(place), label=NO_TEXT.sub("", glimpse.name), render_kw={"hint": hint})


def _choose_sheet(run: ImportRun, name: str, opened: Sheet) -> None:
    """Read the sheet of this name from now on; without a profile it is proposed how.

    Args:
        run: The import.
        name: The sheet's name.
        opened: The sheet that has been read already; it need not be the chosen one.
    """
    mapping = replace(services.mapping_of_run(run), sheet=name)
    sheet = opened if opened.name == name else services.open_run_sheet(run, mapping, LOOKED_AT)
    reasons = list_repeated_columns(sheet.columns)
    if reasons:
        raise BadInputError(reasons)
    profile = run.profile
    if not profile:
        mapping, profile = propose_mapping(run.kind, sheet, run.shape, ready=mapping.ready)
        mapping = replace(mapping, sheet=name)
    with transaction():
        services.choose_sheet(run.id, sheet, mapping, profile, by=current_user.person_id, at=clock.now())


# Pages of kept rows: who they are of, recording those of people who came, and erasing them early.

SCHEMES = {"staff_number": "Staff number", "email": "Email address"}


class EraseKeptRowsForm(PortalForm):
    """The button that erases one person's kept rows."""

    send = button("Erase these rows", warning=True)


def add_kept_pages(bp: Blueprint) -> None:
    """Add the pages to the blueprint of imports."""
    bp.add_url_rule("/kept", "list_kept_rows", list_kept_rows, methods=["GET"])
    bp.add_url_rule("/kept/import", "record_kept_rows", record_kept_rows, methods=["POST"])
    bp.add_url_rule("/kept/<int:row_id>/erase", "erase_kept_rows", erase_kept_rows, methods=["GET", "POST"])


def _refuse_others() -> None:
    """Refuse people who may not import completions of the whole force."""
    if "completions" not in allowed_kinds():
        raise NotFoundError("Kept rows are of people of the whole force, so you need a role for all of it.")


@requires(Permission.RECORD_IMPORT)
def list_kept_rows() -> ResponseReturnValue:
    """List the people who are not on the roster and of whom rows are kept, with what ends first."""
    _refuse_others()
    at = clock.now()
    arguments = QueryArguments(request.args, url_for(".list_kept_rows"))
    page = arguments.page(staged.count_people(at))
    ready = staged.list_ready(at)
    html = render_template(
        "imports/kept.html",
        page=page,
        people=staged.list_people(at, page.offset, page.size),
        ready_rows=len(ready),
        ready_ids={row.id for row in ready},
        days=staged.KEPT_FOR.days,
        schemes=SCHEMES,
        errors=arguments.errors(),
    )
    return html, arguments.status


@requires(Permission.RECORD_IMPORT)
def record_kept_rows() -> ResponseReturnValue:
    """Begin an import of the kept rows whose people are on the roster now, and show its check."""
    _refuse_others()
    with transaction():
        run_id = services.begin_kept_import(by=current_user.person_id, at=clock.now())
    return check_and_show(run_id)


@requires(Permission.RECORD_IMPORT)
def erase_kept_rows(row_id: int) -> ResponseReturnValue:
    """Show the kept rows of one person, and erase them."""
    _refuse_others()
    form, at = EraseKeptRowsForm(), clock.now()
    rows = staged.rows_of_person(row_id, at)
    if form.validate_on_submit():
        with transaction():
            count = staged.erase_person(row_id, by=current_user.person_id, at=at)
        flash(f"{plural(count, 'row')} erased. The same rows are not kept again.")
        return redirect(url_for(".list_kept_rows"), 303)
    titles = imports_queries.activity_titles()
    return render_template(
        "imports/erase.html",
        form=form,
        rows=rows,
        titles=titles,
        days={row.id: staged.day_achieved(row.content or {}) for row in rows},
        scheme=SCHEMES.get(rows[0].scheme or "", rows[0].scheme),
        kept_for=staged.KEPT_FOR,
    )


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
    page = arguments.page(imports_queries.count_runs(kinds, unfinished=unfinished))
    html = render_template(
        "imports/index.html",
        page=page,
        rows=imports_queries.list_runs(kinds, page.offset, page.size, unfinished=unfinished),
        kinds=kinds,
        kept_people=staged.count_people(clock.now()) if "completions" in kinds else 0,
        unfinished=unfinished,
        errors=arguments.errors(),
        words=KIND_WORDS,
        end_words=END_WORDS,
    )
    return html, arguments.status


@bp.get("/formats")
@requires(Permission.RECORD_IMPORT)
def show_formats() -> ResponseReturnValue:
    """Show what each column of the portal's own formats means."""
    return render_template("imports/formats.html", formats=list_formats(current_settings().features_on))


@bp.get("/formats/<name>")
@requires(Permission.RECORD_IMPORT)
def download_example(name: str) -> ResponseReturnValue:
    """Download the example of a format."""
    texts = {form.name: form.example for form in list_formats(current_settings().features_on)}
    if name not in texts:
        raise NotFoundError("There is no such example.")
    kind = "text/csv" if name.endswith(".csv") else "application/toml"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(texts[name], content_type=f"{kind}; charset=utf-8", headers=headers)


@bp.route("/<any(roster, completions):kind>/new", methods=["GET", "POST"])
@requires(Permission.RECORD_IMPORT)
def choose_file(kind: str) -> ResponseReturnValue:
    """The first step: choose a file."""
    if not allowed_kinds():
        raise NotFoundError("An import covers the whole force, so you need a role for the whole force.")
    if kind not in allowed_kinds():
        abort(403)
    saved = [(profile.name, profile.columns["shape"]) for profile in imports_queries.list_profiles(kind)]
    form = ChooseForm(SHAPES[kind], saved, columns.list_ready_profiles(kind))
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
    saved = imports_queries.get_profile(kind, form.chosen_profile) if form.chosen_profile else None
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
    ready = columns.ready_profiles().get(saved_mapping.ready)
    form = build_mapping_form(
        saved_mapping,
        sheet.columns,
        imports_queries.activity_titles(),
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
    return "" if name in {profile.name for profile in imports_queries.list_profiles(kind)} else name


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
    if services.read_run_values(imports_queries.get_run(run_id), opened).questions:
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
    names = imports_queries.names_in_run(run)
    if run.ended_as:
        is_kept = run.ended_as == "applied" and imports_queries.is_file_kept(run.id)
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
    return render_template("imports/check.html", run=run, report=run.report, form=form, names=names)


def _count_arrived() -> int:
    """The number of people of kept rows who are on the roster now."""
    if "completions" not in allowed_kinds():
        return 0
    return len({row.completion.person_id for row in staged.list_ready(clock.now())})


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
    run = imports_queries.get_run(again)
    return _ask_or_check(again, services.open_run_sheet(run, services.mapping_of_run(run)))


@bp.post("/<uuid:run_id>/apply")
@requires(Permission.RECORD_IMPORT, recent=True)
def apply_import(run_id: UUID) -> ResponseReturnValue:
    """The fourth step: apply all of it, or nothing."""
    run = find_run(run_id)
    expected = request.form.get("expected", "")
    if run.ended_as:
        raise ConflictError(services.ENDED_MESSAGES[run.ended_as])
    if run.rows > services.MOST_ROWS_AT_ONCE:
        with transaction():
            job = services.start_apply(run_id, expected, by=current_user.person_id)
        return redirect(url_for("jobs.show_job", reference=job), 303)
    try:
        result = services.check_and_apply(run_id, expected, by=current_user.person_id)
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
    return render_template("imports/roles.html", roles=queries.list_unnamed_roles(clock.today()))


add_sheet_pages(bp)
add_kept_pages(bp)
