"""Lessons of a draft: their editor, adding, moving and removing them."""

from functools import partial

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.authoring import content_types, queries, services
from portal.domain.authoring import files as authoring_files
from portal.domain.authoring.files import LessonFields
from portal.domain.authoring.queries import DraftState
from portal.pages.authoring.forms import CaseForm, LessonForm, NewLessonForm
from portal.pages.authoring.views import draft_context, texts
from portal.pages.authoring.views.draft_context import bp
from portal.pages.authoring.views.texts import TextSheet
from portal.pages.layout.access import requires
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, PortalError
from portal.platform.permissions import Permission


def _lesson_sheet(state: DraftState, name: str) -> tuple[TextSheet, bytes]:
    """The lesson for its editor, and its file."""
    module_toml = draft_context.read_file(state, draft_context.MODULE_FILE)
    module, names = content_types.read_details(module_toml), content_types.lesson_keys(module_toml)
    if name not in names:
        raise NotFoundError(f"This draft has no lesson “{name}”.")
    path = authoring_files.lesson_path(state.files, name)
    content = draft_context.read_file(state, path)
    read = partial(authoring_files.read_lesson_file, path)
    is_case = authoring_files.is_case_path(path)
    sheet = TextSheet(
        state=state,
        path=path,
        place=f"lesson:{name}",
        caption=f"Lesson {names.index(name) + 1} of {len(names)}",
        parent_title=module.title,
        outcomes=module.outcomes,
        preview_address=url_for(".preview_lesson", key=state.key, name=name),
        checks=[] if is_case else authoring_files.read_checks(read(content).body),
        lines=lambda content: [] if is_case else [read(content).title],
        read=read,
    )
    return sheet, content


@bp.route("/<module:key>/lessons/<name>", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def edit_lesson(key: str, name: str) -> ResponseReturnValue:
    """Edit one lesson, with its findings and a preview at phone width."""
    try:
        sheet, form, content = _open_lesson(key, name)
    except NotFoundError:
        if request.method == "POST":
            return texts.render_gone(key, LessonForm([]))
        raise
    return texts.handle_editor(sheet, form, content, partial(_file_content, form))


def render_fragment(key: str, name: str) -> str:
    """The parts of the editor that change as the author types, for the text that was sent."""
    sheet, form, content = _open_lesson(key, name)
    return texts.render_fragment(sheet, form, _file_content(form, content))


def _open_lesson(key: str, name: str) -> tuple[TextSheet, LessonForm | CaseForm, bytes]:
    sheet, content = _lesson_sheet(queries.get_draft(key), name)
    lesson = sheet.read(content)
    if sheet.is_case:
        form = CaseForm(data={"body": lesson.body, "expected": sheet.state.files[sheet.path]})
        form.title.data = authoring_files.read_case((form.body.data or "").encode()).title
        return sheet, form, content
    as_text = request.values.get("as") == "text"
    values = {
        "title": lesson.title,
        "minutes": lesson.minutes or "",
        "outcomes": lesson.outcomes,
        "body": lesson.body if as_text else authoring_files.fold_checks(lesson.body),
        "note": lesson.note,
        "expected": sheet.state.files[sheet.path],
    }
    form = LessonForm(sheet.outcomes, [check.key for check in sheet.checks], data=values)
    return sheet, form, content


def _file_content(form: LessonForm | CaseForm, content: bytes) -> bytes:
    """The file with the form's values; folded checks stay as they are in the file."""
    if isinstance(form, CaseForm):
        return authoring_files.write_case(content, form.body.data or "")
    minutes = form.minutes.number or 0
    body = authoring_files.unfold_checks(form.body.data or "", authoring_files.read_lesson(content).body)
    note = (form.note.data or "").strip()
    fields = LessonFields(form.title.data or "", minutes, form.outcomes.data or [], body, note)
    return authoring_files.write_lesson(content, fields)


@bp.route("/<module:key>/lessons/_new", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def new_lesson(key: str) -> ResponseReturnValue:
    """Add a lesson at the end of the module."""
    state = queries.get_draft(key)
    module_toml = draft_context.read_file(state, draft_context.MODULE_FILE)
    module, names = content_types.read_details(module_toml), content_types.lesson_keys(module_toml)
    form = NewLessonForm(module.outcomes, data={"minutes": 3, "kind": "text"})
    if form.validate_on_submit():
        name = texts.unused_key(form.title.data, names, "lesson")
        path, content = _new_file(form, name)
        changes = {
            draft_context.MODULE_FILE: content_types.write_lesson_keys(module_toml, [*names, name]),
            path: content,
        }
        try:
            draft_context.save_files(
                state,
                changes,
                state.files[draft_context.MODULE_FILE],
                f"Added the lesson “{form.title.data}”",
            )
        except PortalError as error:
            form.form_errors.append(str(error))
        else:
            flash("The lesson is added at the end. Write its text now.", "success")
            return redirect(url_for(".edit_lesson", key=key, name=name), 303)
    return render_template(
        "authoring/new_lesson.html",
        form=form,
        state=state,
        parent_text=draft_context.breadcrumb_text(state, module.title),
    )


def _new_file(form: NewLessonForm, name: str) -> tuple[str, bytes]:
    """Path and content of the file of a new lesson."""
    values = (form.title.data, form.minutes.number or 1, form.outcomes.data)
    if form.kind.data in authoring_files.CASE_KINDS:
        return f"lessons/{name}.toml", authoring_files.new_case_file(form.kind.data, *values)
    return f"lessons/{name}.md", authoring_files.new_lesson_file(*values, content_types.LESSON_TEXT)


@bp.post("/<module:key>/lessons/_order")
@requires(Permission.DRAFT_EDIT)
def move_lesson(key: str) -> ResponseReturnValue:
    """Move a lesson up, down, or directly after another (first, if ``after`` is empty)."""
    state = queries.get_draft(key)
    module_toml = draft_context.read_file(state, draft_context.MODULE_FILE)
    names = content_types.lesson_keys(module_toml)
    name = next((request.form[field] for field in ("up", "down", "move") if field in request.form), "")
    after = request.form.get("after", "")
    if name not in names or (after and after not in names):
        raise NotFoundError("There is no such lesson.")
    index = names.index(name)
    names.remove(name)
    if "move" not in request.form:
        new_index = max(index - 1, 0) if "up" in request.form else index + 1
    else:
        new_index = index if after == name else names.index(after) + 1 if after else 0
    names.insert(new_index, name)
    changes = {draft_context.MODULE_FILE: content_types.write_lesson_keys(module_toml, names)}
    draft_context.save_files(
        state,
        changes,
        state.files[draft_context.MODULE_FILE],
        f"Moved a lesson to place {names.index(name) + 1}",
    )
    return redirect(url_for(".show_module", key=key, _anchor=f"lesson-{name}"), 303)


@bp.route("/<module:key>/lessons/<name>/remove", methods=["GET", "POST"])
@requires(Permission.DRAFT_EDIT)
def remove_lesson(key: str, name: str) -> ResponseReturnValue:
    """Say what removing a lesson means, and remove it."""
    state = queries.get_draft(key)
    sheet, content = _lesson_sheet(state, name)
    title = sheet.read(content).title
    if request.method == "POST":
        module_toml = draft_context.read_file(state, draft_context.MODULE_FILE)
        remaining_names = [other for other in content_types.lesson_keys(module_toml) if other != name]
        changes = {
            sheet.path: None,
            draft_context.MODULE_FILE: content_types.write_lesson_keys(module_toml, remaining_names),
        }
        draft_context.save_files(
            state, changes, request.form.get("expected", ""), f"Removed the lesson “{title}”"
        )
        with transaction():
            services.leave_place(state.draft_id, sheet.place, by=current_user.person_id)
        flash(f"“{title}” is removed from the draft. You can bring it back from the history.", "success")
        return redirect(url_for(".show_module", key=key, _anchor="lessons"), 303)
    return render_template(
        "authoring/remove_lesson.html",
        state=state,
        sheet=sheet,
        name=name,
        title=title,
        linking_titles=[
            other_title
            for other, other_title in _lesson_titles(state)
            if other != name and _links_to_lesson(state, other, name)
        ],
        expected=state.files[sheet.path],
    )


def _lesson_titles(state: DraftState) -> list[tuple[str, str]]:
    names = content_types.lesson_keys(draft_context.read_file(state, draft_context.MODULE_FILE))
    files = draft_context.read_text_files(state)
    paths = [(name, authoring_files.lesson_path(files, name)) for name in names]
    return [
        (name, authoring_files.read_lesson_file(path, files[path]).title)
        for name, path in paths
        if path in files
    ]


def _links_to_lesson(state: DraftState, name: str, target: str) -> bool:
    return f"(lesson:{target})".encode() in draft_context.read_file(
        state, authoring_files.lesson_path(state.files, name)
    )
