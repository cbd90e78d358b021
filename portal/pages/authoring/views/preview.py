"""Previews of a draft on the learner's own pages, and the parts of editors that change as authors type."""

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.domain.assessment.queries import AttemptQuestion
from portal.domain.authoring import preview, queries
from portal.domain.authoring.content_types import is_guide
from portal.domain.authoring.queries import DraftState
from portal.domain.cases import read_step
from portal.domain.catalogue.lesson_html import answer_checks, fill_placeholders, number_parts
from portal.domain.catalogue.module_source import SHEET_NAMES
from portal.domain.catalogue.version_cache import LessonCase, PublishedItem, PublishedLesson, PublishedVersion
from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import Answer, AnswerError
from portal.domain.learning.queries import ModuleProgress
from portal.domain.learning.services import CaseLesson, build_pre_test, offers_pre_test
from portal.pages.authoring.views import checks, details, draft_context, guides, items, lessons, sheets
from portal.pages.authoring.views.draft_context import bp
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import sent_check_answers
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

NO_ANSWER = Answer()
_FRAGMENTS: dict[str, Callable[[str], str]] = {
    **{place: partial(sheets.render_fragment, place) for place in SHEET_NAMES},
    "details": details.render_fragment,
}
_FRAGMENTS_BY_KEY = {
    "lesson": lessons.render_fragment,
    "item": items.render_fragment,
    "new-item": items.render_new_fragment,
    "check": checks.render_fragment,
    "new-check": checks.render_new_fragment,
}


def _render_preview(state: DraftState, template: str, **values: Any) -> str:
    """Render a learner's page whose links lead to other pages of the preview."""

    def preview_address(endpoint: str, **values: Any) -> str:
        key, lesson = values.get("slug", state.key), values.get("key")
        if endpoint in {"learning.show_lesson", "learning.complete_lesson"}:
            return url_for(".preview_lesson", key=key, name=lesson)
        if endpoint in {"learning.show_job_aid", "learning.show_briefing"}:
            return url_for(endpoint.replace("learning.show", ".preview"), key=key)
        if endpoint == "learning.take_pre_test":
            return url_for(".preview_pre_test", key=key)
        if endpoint.startswith(("learning.", "assessment.")):
            return url_for(".preview_draft", key=key)
        return url_for(endpoint, **values)

    return render_template(
        template,
        url_for=preview_address,
        module_url=url_for(".preview_draft", key=state.key),
        state=state,
        draft_name=draft_context.breadcrumb_text(state, draft_context.read_module_details(state).title),
        draft_url=url_for(".show_module", key=state.key),
        first_item=_first_item(preview.draft_version(state)),
        **values,
    )


def _first_item(version: PublishedVersion) -> str:
    first = next((item for item in version.items if not item.retired), None)
    return url_for(".preview_item", key=version.activity.key, item=first.key) if first else ""


@bp.get("/<draft:key>/preview")
@requires(Permission.AUTHORING_VIEW)
def preview_draft(key: str) -> ResponseReturnValue:
    """Preview the module's page, or the guide's."""
    state = queries.get_draft(key)
    if is_guide(key):
        return guides.preview_guide(state)
    module = preview.draft_module(state)
    limit = module.version.attempts or None
    return _render_preview(
        state,
        "authoring/preview_module.html",
        module=module,
        paths=preview.list_paths(module),
        attempts=[],
        attempts_left=limit,
        opens_at=None,
        newest_pass=None,
        offers_try=offers_pre_test(module),
    )


@bp.route("/<module:key>/preview/lessons/<name>", methods=["GET", "POST"])
@requires(Permission.AUTHORING_VIEW)
def preview_lesson(key: str, name: str) -> ResponseReturnValue:
    """Preview a lesson; its button leads to the next one and saves nothing."""
    state = queries.get_draft(key)
    module = preview.draft_module(state)
    lesson = module.lesson_by_key(name)
    case = module.version.lesson_case(lesson)
    if case is not None:
        return _preview_case(state, module, lesson, case)
    if request.method == "POST":
        if lesson.position >= len(module.lessons):
            return redirect(_first_item(module.version) or url_for(".preview_draft", key=key), 303)
        next_lesson = module.lessons[lesson.position]
        return redirect(url_for(".preview_lesson", key=key, name=next_lesson.key), 303)
    text = preview.link_to_previews(key, module.version.lesson_html(lesson))
    html = fill_placeholders(answer_checks(number_parts(text), sent_check_answers()), module.shared)
    return _render_preview(state, "authoring/preview_lesson.html", module=module, lesson=lesson, html=html)


def _preview_case(
    state: DraftState, module: ModuleProgress, lesson: PublishedLesson, case: LessonCase
) -> str:
    """Preview a case step by step; the way so far comes with the form, and nothing is saved."""
    order = tuple(case.kind.shufflable_keys(case.content))
    answer, ended, errors = NO_ANSWER, False, {}
    if request.method == "POST":
        try:
            answer, ended = read_step(case, order, request.form.to_dict(flat=False))
        except AnswerError as error:
            answer, errors = error.typed, {place: sentence for sentence, place in error.problems}
    return _render_preview(
        state,
        "authoring/preview_case.html",
        module=module,
        lesson=lesson,
        case=CaseLesson(case, 1, order, answer, ended, None),
        step_url=url_for(".preview_lesson", key=state.key, name=lesson.key),
        shares={},
        errors=errors,
        fill=fill_placeholders,
    )


@bp.route("/<module:key>/preview/pre-test", methods=["GET", "POST"])
@requires(Permission.AUTHORING_VIEW)
def preview_pre_test(key: str) -> ResponseReturnValue:
    """Preview the try before the lessons; of a draft without one, the module's page."""
    state = queries.get_draft(key)
    module = preview.draft_module(state)
    if not offers_pre_test(module):
        return redirect(url_for(".preview_draft", key=key), 303)
    pre_test = build_pre_test(module)
    if request.method == "POST":
        plan = pre_test.plan_reading(request.form.to_dict(flat=False))
        return _render_preview(state, "authoring/preview_pre_test_plan.html", module=module, plan=plan)
    questions = [fill_placeholders(check.html, module.shared) for check in pre_test.questions]
    return _render_preview(state, "authoring/preview_pre_test.html", module=module, questions=questions)


@bp.get("/<module:key>/preview/job-aid", endpoint="preview_job_aid", defaults={"place": "job-aid"})
@bp.get("/<module:key>/preview/briefing", endpoint="preview_briefing", defaults={"place": "briefing"})
@requires(Permission.AUTHORING_VIEW)
def preview_sheet(key: str, place: str) -> ResponseReturnValue:
    """Preview the job aid or the briefing."""
    state = queries.get_draft(key)
    version = preview.draft_version(state)
    html = fill_placeholders(preview.link_to_previews(key, preview.draft_sheet(state, place)))
    template = f"authoring/preview_{place.replace('-', '_')}.html"
    return _render_preview(state, template, version=version, html=html)


@bp.route("/<module:key>/preview/items/<item>", methods=["GET", "POST"])
@requires(Permission.AUTHORING_VIEW)
def preview_item(key: str, item: str) -> ResponseReturnValue:
    """Preview a question; after an answer, as a learner sees it after a pass."""
    state = queries.get_draft(key)
    version = preview.draft_version(state)
    number, published_item = _item_by_key(version, item)
    kind = kinds_by_name()[published_item.kind]
    order = tuple(kind.shufflable_keys(published_item.content))
    answer, errors = NO_ANSWER, {}
    if request.method == "POST":
        try:
            answer = kind.read_answer(published_item.content, order, request.form.to_dict(flat=False))
        except AnswerError as error:
            answer, errors = error.typed, {place: sentence for sentence, place in error.problems}
    question = AttemptQuestion(number, published_item, order, answer)
    next_item = version.items[number] if number < len(version.items) else None
    return _render_preview(
        state,
        "authoring/preview_item.html",
        question=question,
        total=len(version.items),
        kind=kind,
        shown=question.item_view,
        answered=request.method == "POST" and not errors and not answer.repeats_question,
        shows_key=True,
        errors=errors,
        next_item=next_item,
        fill=fill_placeholders,
        sheet=SimpleNamespace(version=version),
    )


def _item_by_key(version: PublishedVersion, key: str) -> tuple[int, PublishedItem]:
    for number, item in enumerate(version.items, 1):
        if item.key == key:
            return number, item
    raise NotFoundError("There is no such question, or it cannot be read yet.")


@bp.post("/<draft:key>/render")
@requires(Permission.DRAFT_EDIT)
def render_beside(key: str) -> ResponseReturnValue:
    """Render the parts of an editor that change as the author types; nothing is saved."""
    kind, _, name = request.form.get("place", "").partition(":")
    if is_guide(key):
        return guides.render_fragment(key)
    if kind in _FRAGMENTS:
        return _FRAGMENTS[kind](key)
    if kind in _FRAGMENTS_BY_KEY:
        return _FRAGMENTS_BY_KEY[kind](key, name)
    raise NotFoundError("There is no such text.")
