"""The job aid of a draft: one page to look something up in the field."""

from functools import partial

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.authoring import queries
from portal.domain.authoring.editing import boilerplate
from portal.domain.authoring.editing import lesson as lesson_file
from portal.domain.authoring.editing.lesson import LessonFields
from portal.pages.authoring.forms.pages import JobAidForm
from portal.pages.authoring.views import draft_context, texts
from portal.pages.authoring.views.blueprint import bp
from portal.pages.authoring.views.texts import TextSheet
from portal.pages.layout.access import requires
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

PATH = "job-aid.md"


@bp.route("/<module:key>/job-aid", methods=["GET", "POST"], endpoint="job_aid")
@requires(Permission.DRAFT_EDIT)
def edit_job_aid(key: str) -> ResponseReturnValue:
    """Edit the job aid, with its findings and a preview at phone width."""
    try:
        sheet, form, content = _open_job_aid(key)
    except NotFoundError:
        if request.method == "POST":
            return texts.render_gone(key, JobAidForm())
        raise
    return texts.handle_editor(sheet, form, content, partial(_file_content, form))


def render_fragment(key: str) -> str:
    """The parts of the editor that change as the author types, for the text that was sent."""
    sheet, form, content = _open_job_aid(key)
    return texts.render_fragment(sheet, form, _file_content(form, content))


def _open_job_aid(key: str) -> tuple[TextSheet, JobAidForm, bytes]:
    state = queries.get_draft(key)
    content = (
        draft_context.read_file(state, PATH)
        if PATH in state.files
        else lesson_file.new_lesson_file("Job aid", 0, [], boilerplate.JOB_AID_TEXT)
    )
    job_aid = lesson_file.read_lesson(content)
    sheet = TextSheet(
        state=state,
        path=PATH,
        place="job-aid",
        caption="Job aid",
        parent_title=draft_context.title_of(state),
        preview_address=url_for(".preview_job_aid", key=key),
    )
    values = {"title": job_aid.title, "body": job_aid.body, "expected": state.files.get(PATH, "")}
    return sheet, JobAidForm(data=values), content


def _file_content(form: JobAidForm, content: bytes) -> bytes:
    return lesson_file.write_lesson(content, LessonFields(form.title.data or "", 0, [], form.body.data or ""))


@bp.route("/<module:key>/job-aid/remove", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def remove_job_aid(key: str) -> ResponseReturnValue:
    """Say what removing the job aid means, and remove it."""
    state = queries.get_draft(key)
    title = lesson_file.read_lesson(draft_context.read_file(state, PATH)).title
    if request.method == "POST":
        draft_context.save_files(state, {PATH: None}, request.form.get("expected", ""), "Removed the job aid")
        flash("The job aid is removed from the draft. You can bring it back from the history.", "success")
        return redirect(url_for(".show_module", key=key, _anchor="job-aid"), 303)
    return render_template(
        "authoring/remove_job_aid.html",
        state=state,
        title=title,
        expected=state.files[PATH],
        parent_text=draft_context.breadcrumb_text(state, draft_context.read_module_details(state).title),
    )
