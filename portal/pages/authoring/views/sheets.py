"""The job aid and the briefing of a draft: one page each, to use in the field and at parade."""

from functools import partial

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.authoring import content_types, files, queries
from portal.domain.authoring.files import LessonFields
from portal.domain.catalogue.module_source import SHEET_NAMES
from portal.pages.authoring.forms import BriefingForm, JobAidForm
from portal.pages.authoring.views import draft_context, texts
from portal.pages.authoring.views.draft_context import bp
from portal.pages.authoring.views.texts import TextSheet
from portal.pages.layout.access import requires
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

FORMS = {"job-aid": JobAidForm, "briefing": BriefingForm}
FIRST_TEXTS = {"job-aid": content_types.JOB_AID_TEXT, "briefing": content_types.BRIEFING_TEXT}


@bp.route("/<module:key>/job-aid", methods=["GET", "POST"], endpoint="job_aid", defaults={"place": "job-aid"})
@bp.route(
    "/<module:key>/briefing", methods=["GET", "POST"], endpoint="briefing", defaults={"place": "briefing"}
)
@requires(Permission.DRAFT_EDIT)
def edit_sheet(key: str, place: str) -> ResponseReturnValue:
    """Edit the job aid or the briefing, with its findings and a preview at phone width."""
    try:
        sheet, form, content = _open_sheet(place, key)
    except NotFoundError:
        if request.method == "POST":
            return texts.render_gone(key, FORMS[place]())
        raise
    return texts.handle_editor(sheet, form, content, partial(_file_content, form))


def render_fragment(place: str, key: str) -> str:
    """The parts of the editor that change as the author types, for the text that was sent."""
    sheet, form, content = _open_sheet(place, key)
    return texts.render_fragment(sheet, form, _file_content(form, content))


def _open_sheet(place: str, key: str) -> tuple[TextSheet, JobAidForm, bytes]:
    state, path = queries.get_draft(key), f"{place}.md"
    content = (
        draft_context.read_file(state, path)
        if path in state.files
        else files.new_lesson_file(SHEET_NAMES[place], 0, [], FIRST_TEXTS[place])
    )
    page = files.read_lesson(content)
    sheet = TextSheet(
        state=state,
        path=path,
        place=place,
        caption=SHEET_NAMES[place],
        parent_title=draft_context.title_of(state),
        preview_address=url_for(f".preview_{place.replace('-', '_')}", key=key),
    )
    values = {"title": page.title, "body": page.body, "note": page.note}
    values["expected"] = state.files.get(path, "")
    return sheet, FORMS[place](data=values), content


def _file_content(form: JobAidForm, content: bytes) -> bytes:
    note = (form.note.data or "").strip()
    return files.write_lesson(content, LessonFields(form.title.data or "", 0, [], form.body.data or "", note))


@bp.route(
    "/<module:key>/job-aid/remove",
    methods=["GET", "POST"],
    endpoint="remove_job_aid",
    defaults={"place": "job-aid"},
)
@bp.route(
    "/<module:key>/briefing/remove",
    methods=["GET", "POST"],
    endpoint="remove_briefing",
    defaults={"place": "briefing"},
)
@requires(Permission.DRAFT_EDIT)
def remove_sheet(key: str, place: str) -> ResponseReturnValue:
    """Say what removing the job aid or the briefing means, and remove it."""
    state, path, name = queries.get_draft(key), f"{place}.md", SHEET_NAMES[place]
    title = files.read_lesson(draft_context.read_file(state, path)).title
    if request.method == "POST":
        expected, noun = request.form.get("expected", ""), f"the {name.lower()}"
        draft_context.save_files(state, {path: None}, expected, f"Removed {noun}")
        flash(
            f"{noun.capitalize()} is removed from the draft. You can bring it back from the history.",
            "success",
        )
        return redirect(url_for(".show_module", key=key, _anchor=place), 303)
    return render_template(
        "authoring/remove_sheet.html",
        state=state,
        title=title,
        name=name,
        kept_address=url_for(f".{place.replace('-', '_')}", key=key),
        expected=state.files[path],
        parent_text=draft_context.breadcrumb_text(state, draft_context.read_module_details(state).title),
    )
