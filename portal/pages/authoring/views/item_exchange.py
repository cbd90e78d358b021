"""Questions in and out of the formats of other systems: a look first, then the change."""

from io import BytesIO
from typing import Any

from flask import Response, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import content_types, queries
from portal.domain.authoring.item_exchange import files, reading, services
from portal.domain.authoring.item_exchange.questions import ForeignQuestion
from portal.domain.authoring.queries import DraftState
from portal.domain.item_kinds import kinds_by_name
from portal.pages.authoring.forms import CHOOSE_OUTCOME, AddQuestionsForm, ImportForm, build_confirm_form
from portal.pages.authoring.views import draft_context
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import BadInputError, NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

ENVELOPE = 64 * 1024  # bytes of a form around its file
UNDER_REVIEW = "This draft is being reviewed. Withdraw it from review before you add questions"
FILE_TYPES = {"moodle": ("application/xml", "xml"), "qti3": ("application/zip", "zip")}


@bp.url_value_preprocessor
def _allow_larger_files(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Let a file of questions be larger than other requests; runs before the form is read."""
    if endpoint == "authoring.import_items":
        request.max_content_length = files.MOST_BYTES + ENVELOPE


@bp.route("/<module:key>/items/_import", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def import_items(key: str) -> ResponseReturnValue:
    """Choose a file of questions, and see what would become of each; nothing is written."""
    state = queries.get_draft(key)
    form = ImportForm()
    if not form.validate_on_submit():
        return _render_choice(state, form)
    try:
        if state.review:
            raise RuleError(UNDER_REVIEW)
        file = reading.read_file(form.file.data.read())
    except BadInputError as error:
        form.file.errors = error.reasons
        return _render_choice(state, form)
    except RuleError as error:
        form.file.errors = [str(error)]
        return _render_choice(state, form)
    questions = services.propose_keys(services.read_bank_files(state), file.questions)
    ready = [question for question in questions if question.table]
    confirm = None
    if ready:
        outcomes = draft_context.read_module_details(state).outcomes
        confirm = build_confirm_form([question.table for question in ready], outcomes, ready)
        confirm.questions.data = services.dump_questions(ready)
        confirm.file_format.data = file.format
    return _render_questions(state, questions, confirm, files.FORMATS[file.format])


@bp.post("/<module:key>/items/_import/questions")
@requires(Permission.DRAFT_EDIT)
def add_imported_items(key: str) -> ResponseReturnValue:
    """Add the questions of a file that was looked at."""
    state = queries.get_draft(key)
    tables = services.load_questions(request.form.get("questions", ""))
    form = build_confirm_form(tables, draft_context.read_module_details(state).outcomes)
    additions = form.read_additions(tables)
    file_format = str(form.file_format.data)
    if file_format not in files.FORMATS:
        raise RuleError(services.UNREADABLE)
    if not form.validate() or any(not addition.outcome for addition in additions):
        form.outcome.errors = [CHOOSE_OUTCOME]
        questions = [
            ForeignQuestion(number, str(table["prompt"]), str(table["kind"]), table, "", (), ())
            for number, table in enumerate(tables, 1)
        ]
        return _render_questions(state, questions, form, files.FORMATS[file_format])
    try:
        with transaction():
            number = services.save_questions(
                state, additions, file_format=file_format, by=current_user.person_id, at=clock.now()
            )
    except RuleError as error:
        choice = ImportForm(formdata=None)
        choice.file.errors = [str(error)]
        return _render_choice(state, choice)
    flash(f"{plural(number, 'question')} added. Read each one, and put right what the check says.", "success")
    return redirect(url_for(".show_module", key=key, _anchor="questions"), 303)


@bp.get("/<module:key>/items/_export")
@requires(Permission.AUTHORING_VIEW)
def export_items(key: str) -> ResponseReturnValue:
    """Say what goes out in a file and what does not, with the links to the files."""
    state = queries.get_draft(key)
    return render_template(
        "authoring/export_items.html",
        state=state,
        bank=services.choose_outgoing(services.read_bank_files(state)),
        formats=services.OUT_FORMATS,
        **_parent(state),
    )


@bp.get("/<module:key>/items/_export/file")
@requires(Permission.AUTHORING_VIEW)
def download_items(key: str) -> Response:
    """Download the draft's questions with their right answers, in the format that the address names."""
    form = request.args.get("format", "qti3")
    if form not in FILE_TYPES:
        raise NotFoundError("There is no such file.")
    state = queries.get_draft(key)
    bank = services.choose_outgoing(services.read_bank_files(state))
    content = services.format_bank(bank, key, form)
    with transaction():
        services.record_export(key, bank, form, by=current_user.person_id)
    kind, ending = FILE_TYPES[form]
    return send_file(
        BytesIO(content), kind, as_attachment=True, download_name=f"{key}-questions.{ending}", etag=False
    )


def _render_choice(state: DraftState, form: ImportForm) -> ResponseReturnValue:
    page = render_template("authoring/import_items.html", state=state, form=form, **_parent(state))
    return page, 400 if form.errors else 200


def _render_questions(
    state: DraftState, questions: list[ForeignQuestion], form: AddQuestionsForm | None, file_format: str
) -> ResponseReturnValue:
    page = render_template(
        "authoring/imported_questions.html",
        state=state,
        ready=[question for question in questions if question.table],
        refused=[question for question in questions if not question.table],
        number=len(questions),
        file_format=file_format,
        form=form,
        kinds=kinds_by_name(),
        **_parent(state),
    )
    return page, 400 if form and form.errors else 200


def _parent(state: DraftState) -> dict[str, str]:
    title = content_types.read_details(draft_context.read_file(state, draft_context.MODULE_FILE)).title
    return {
        "parent_text": draft_context.breadcrumb_text(state, title),
        "parent_address": url_for(".show_module", key=state.key, _anchor="questions"),
    }
