"""The job aid of a draft: one page to look something up in the field."""

from functools import partial

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.authoring import queries
from portal.domain.authoring.editing import boilerplate
from portal.domain.authoring.editing import lesson as text
from portal.domain.authoring.editing.lesson import LessonFields
from portal.pages.authoring.forms.pages import JobAidForm
from portal.pages.authoring.views import draft_context, texts
from portal.pages.authoring.views.blueprint import bp
from portal.pages.authoring.views.texts import TextSheet
from portal.pages.layout.access import requires
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

PATH = "job-aid.md"


@bp.route("/<module:key>/job-aid", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def job_aid(key: str) -> ResponseReturnValue:
    """The job aid's text, and how it looks on a phone."""
    try:
        sheet, form, held = _open_job_aid(key)
    except NotFoundError:
        if request.method == "POST":
            return texts.render_gone(key, JobAidForm())
        raise
    return texts.handle_editor(sheet, form, held, partial(_file_content, form))


def render_fragment(key: str) -> str:
    """What stands beside the job aid's text, for the text that was sent."""
    sheet, form, held = _open_job_aid(key)
    return texts.render_fragment(sheet, form, _file_content(form, held))


def _open_job_aid(key: str) -> tuple[TextSheet, JobAidForm, bytes]:
    state = queries.get_draft(key)
    held = (
        draft_context.read_file(state, PATH)
        if PATH in state.files
        else text.new_lesson_file("Job aid", 0, [], boilerplate.JOB_AID_TEXT)
    )
    said = text.read_lesson(held)
    sheet = TextSheet(
        state=state,
        path=PATH,
        place="job-aid",
        caption="Job aid",
        whole=draft_context.title_of(state),
        learner=url_for(".preview_job_aid", key=key),
    )
    return (
        sheet,
        JobAidForm(data={"title": said.title, "body": said.body, "expected": state.files.get(PATH, "")}),
        held,
    )


def _file_content(form: JobAidForm, held: bytes) -> bytes:
    return text.write_lesson(held, LessonFields(form.title.data or "", 0, [], form.body.data or ""))


@bp.route("/<module:key>/job-aid/remove", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def remove_job_aid(key: str) -> ResponseReturnValue:
    """Say what taking the job aid out means, and do it."""
    state = queries.get_draft(key)
    title = text.read_lesson(draft_context.read_file(state, PATH)).title
    if request.method == "POST":
        draft_context.save_files(state, {PATH: None}, request.form.get("expected", ""), "Removed the job aid")
        flash("The job aid is removed from the draft. History can bring it back.", "success")
        return redirect(url_for(".show_module", key=key, _anchor="job-aid"), 303)
    return render_template(
        "authoring/remove_job_aid.html",
        state=state,
        title=title,
        expected=state.files[PATH],
        parent_text=draft_context.breadcrumb_text(state, draft_context.read_module_details(state).title),
    )
