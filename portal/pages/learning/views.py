"""Pages of My learning, modules, lessons and the outcome of an assessment."""

from dataclasses import replace
from functools import partial
from io import BytesIO
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from portal.domain.assessment import queries as assessment
from portal.domain.assurance.own_work import count_own_actions
from portal.domain.cases.queries import shares_within_minute
from portal.domain.cases.services import LATER
from portal.domain.catalogue.archiving import archive_of
from portal.domain.catalogue.markdown.check_answers import answer_checks
from portal.domain.catalogue.markdown.duty_parts import fold_duty_parts, has_duty_parts
from portal.domain.catalogue.markdown.lesson_parts import number_parts
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.catalogue.queries import minimum_of
from portal.domain.catalogue.version_cache import PublishedLesson
from portal.domain.directives.exclusions import exclusions_on
from portal.domain.directives.queries import withdrawn_directives_of
from portal.domain.events.own_places import list_own_places
from portal.domain.item_kinds.base import AnswerError
from portal.domain.learning import case_copies, case_lessons, due_calendar, my_learning, queries, services
from portal.domain.learning.case_lessons import CaseLesson
from portal.domain.learning.newest_passes import read_newest_pass
from portal.domain.learning.pre_test import offers_pre_test
from portal.domain.recall.queries import list_due_recalls
from portal.domain.records.queries import reference_of
from portal.domain.reminders.own_messages import list_own_messages
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import open_at_place, sent_check_answers
from portal.pages.learning.clarity_views import add_clarity_pages, count_new_replies
from portal.pages.learning.copy_views import add_copy_pages
from portal.pages.learning.pre_test_views import add_pre_test_pages
from portal.pages.learning.recall_views import add_recall_pages
from portal.pages.learning.sheet_views import add_sheet_pages
from portal.platform import clock
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import RuleError
from portal.platform.formats.calendar_files import write_calendar
from portal.platform.permissions import Permission

bp = Blueprint("learning", __name__, template_folder="templates")
add_copy_pages(bp)
add_pre_test_pages(bp)
add_recall_pages(bp)
add_clarity_pages(bp)
add_sheet_pages(bp)


@bp.get("/learning")
@requires(Permission.LEARN)
def show_my_learning() -> ResponseReturnValue:
    """Show a person's requirements by due date, and the next step."""
    learning = my_learning.load_my_learning(current_user.person_id, clock.now())
    today = clock.today()
    excluded = exclusions_on(current_user.person_id, today) if learning.excluded else {}
    asks_nothing = learning.requires_nothing and not learning.excluded
    return render_template(
        "learning/home.html",
        learning=learning,
        today=today,
        excluded=excluded,
        withdrawn=withdrawn_directives_of(current_user.person_id, today) if asks_nothing else [],
        recalls=list_due_recalls(current_user.person_id, today),
        new_replies=count_new_replies(),
        places=list_own_places(current_user.person_id, learning.now),
        own_actions=count_own_actions(current_user.person_id, today),
    )


@bp.get("/learning/due-dates.ics")
@requires(Permission.LEARN)
def download_due_dates() -> ResponseReturnValue:
    """Download the person's due dates to come, for their calendar."""
    config: Config = current_app.config["PORTAL"]
    person_id, now = current_user.person_id, clock.now()
    learning = my_learning.load_my_learning(person_id, now)
    events = due_calendar.list_due_events(learning, person_id, config.address, clock.today())
    content = write_calendar(f"{config.force_name} Learning portal", events, now)
    return send_file(BytesIO(content), "text/calendar", as_attachment=True, download_name="due-dates.ics")


@bp.get("/learning/messages")
@requires(Permission.LEARN)
def list_messages() -> ResponseReturnValue:
    """List what the portal emailed the person."""
    messages = list_own_messages(current_user.viewer, clock.now())
    return render_template("learning/messages.html", sent_messages=messages)


@bp.get("/learning/modules/<slug>")
@requires(Permission.LEARN)
def show_module(slug: str) -> ResponseReturnValue:
    """Show one module: its aim, lessons and assessment, and the person's progress."""
    module = queries.module_progress(current_user.person_id, slug)
    registration_id = module.progress.registration_id if module.progress else None
    attempts = assessment.list_attempts(registration_id) if registration_id else []
    now = clock.now()
    newest_pass = read_newest_pass(current_user.person_id, slug)
    may_begin = not module.archived or services.may_begin_archived(current_user.person_id, module, now)
    return render_template(
        "learning/module.html",
        module=module,
        archive=archive_of(module.version.activity_id) if module.archived else None,
        closed=module.progress is None and not may_begin,
        attempts=[attempt for attempt in attempts if attempt.submission],
        attempts_left=module.attempts_left,
        opens_at=queries.future_or_none(module.next_attempt_opens_at, now),
        paused=module.paused_until(now) is not None,
        newest_pass=newest_pass,
        minimum=minimum_of(module.version.activity_id, clock.today()) if newest_pass else None,
        offers_try=offers_pre_test(module),
    )


@bp.get("/learning/modules/<slug>/lessons/<key>")
@requires(Permission.LEARN)
def show_lesson(slug: str, key: str) -> ResponseReturnValue:
    """Show one lesson; of a module under way, record its first opening, unless the database is busy."""
    person_id = current_user.person_id
    module = queries.module_reading_with_lesson(person_id, slug, key)
    lesson = module.lesson_by_key(key)
    if not module.has_opened(lesson):
        try_to_write(
            lambda: services.record_lesson_opened(module, lesson, clock.now()),
            "a lesson was opened",
            early_release=True,
        )
    case = case_lessons.load_case(person_id, module, lesson, again="again" in request.args)
    if case is not None:
        return _render_case(module, lesson, case)
    text = answer_checks(number_parts(module.version.lesson_html(lesson)), sent_check_answers())
    html = fill_placeholders(text, module.shared)
    if has_duty_parts(html):
        html = fold_duty_parts(html, queries.own_duties(person_id, module, clock.today()))
    html = open_at_place(html)
    return render_template(
        "learning/lesson.html", module=module, lesson=lesson, html=html, clear_url=_clear_url(slug, key)
    )


def _clear_url(slug: str, key: str) -> str:
    return url_for(".say_lesson_was_clear", slug=slug, key=key)


def _render_case(
    module: queries.ModuleReading,
    lesson: PublishedLesson,
    case: CaseLesson,
    error: AnswerError | None = None,
) -> ResponseReturnValue:
    if error is not None:
        case = replace(case, answer=error.answer_to_show(case.answer))
    now = clock.now()
    return render_template(
        "learning/case.html",
        module=module,
        lesson=lesson,
        case=case,
        step_url=url_for(".save_case_step", slug=module.slug, key=lesson.key, number=case.number),
        shares=shares_within_minute(lesson.id, module.version.published_at, now) if case.ended else {},
        clear_url=_clear_url(module.slug, lesson.key) if case.ended else "",
        debrief=case_copies.load_debrief(current_user.person_id, case, now),
        errors={place: sentence for sentence, place in error.problems} if error else {},
        fill=partial(fill_placeholders, shared=module.shared),
    )


@bp.post("/learning/modules/<slug>/lessons/<key>/runs/<int:number>")
@requires(Permission.LEARN)
def save_case_step(slug: str, key: str, number: int) -> ResponseReturnValue:
    """Save a decision in a case, then show what follows from it; the end completes the lesson."""
    person_id, form = current_user.person_id, request.form.to_dict(flat=False)
    module = queries.module_reading_with_lesson(person_id, slug, key)
    lesson = module.lesson_by_key(key)
    try:
        with transaction(early_release=module.is_begun):
            case_lessons.save_case_step(person_id, module, lesson, number, form, clock.now())
    except AnswerError as error:
        case = case_lessons.load_case(person_id, module, lesson, again=True)
        if case is not None:
            return _render_case(module, lesson, case, error)
    if LATER in form:
        flash("What you wrote is saved. You can come back to it.", "success")
        return redirect(url_for(".show_module", slug=slug), 303)
    return redirect(url_for(".show_lesson", slug=slug, key=key), 303)


@bp.post("/learning/modules/<slug>/lessons/<key>")
@requires(Permission.LEARN)
def complete_lesson(slug: str, key: str) -> ResponseReturnValue:
    """Mark a lesson complete, then show the next lesson, or the module after the last."""
    module = queries.module_reading(current_user.person_id, slug)
    try:
        with transaction(early_release=module.is_begun):
            following = services.finish_lesson(current_user.person_id, module, key, clock.now())
    except services.CaseFirstError as error:
        flash(str(error), "error")
        return redirect(url_for(".show_lesson", slug=slug, key=key), 303)
    if following is None:
        return redirect(url_for(".show_module", slug=slug), 303)
    return redirect(url_for(".show_lesson", slug=slug, key=following), 303)


@bp.post("/learning/modules/<slug>/registrations")
@requires(Permission.LEARN)
def start_module(slug: str) -> ResponseReturnValue:
    """Begin a module and show its first lesson; after a pass, take it again from its own page."""
    module = queries.module_reading(current_user.person_id, slug)
    with transaction():
        lesson = services.start_module(current_user.person_id, module, clock.now())
    if lesson is None:
        return redirect(url_for(".show_module", slug=slug), 303)
    return redirect(url_for(".show_lesson", slug=slug, key=lesson), 303)


@bp.post("/learning/modules/<slug>/assessment")
@requires(Permission.ATTEMPT_TAKE)
def start_assessment(slug: str) -> ResponseReturnValue:
    """Start an attempt and show its first question, or resume the one under way."""
    module = queries.module_reading(current_user.person_id, slug)
    try:
        with transaction():
            attempt = services.begin_assessment(current_user.person_id, module, clock.now())
    except RuleError as error:
        flash(str(error), "error")
        return redirect(url_for(".show_module", slug=slug), 303)
    if attempt.is_new:
        return redirect(url_for("assessment.show_item", attempt_id=attempt.id, number=1), 303)
    return redirect(url_for("assessment.resume_attempt", attempt_id=attempt.id), 303)


@bp.get("/assessment/<uuid:attempt_id>/outcome")
@requires(Permission.ATTEMPT_TAKE)
def show_outcome(attempt_id: UUID) -> ResponseReturnValue:
    """Show the result of a submitted attempt, and what to do next."""
    sheet = assessment.load_answer_sheet(assessment.own_attempt(attempt_id, current_user.person_id))
    if sheet.submission is None:
        return redirect(url_for("assessment.resume_attempt", attempt_id=attempt_id), 303)
    missed = assessment.missed_outcomes(sheet)
    if sheet.submission.passed:
        learning = my_learning.load_my_learning(current_user.person_id, clock.now())
        return render_template(
            "learning/passed.html",
            sheet=sheet,
            reference=reference_of(sheet.registration.id),
            missed=missed,
            learning=learning,
            requirement=learning.satisfied_requirement(sheet.version.activity_id),
        )
    module, now = queries.module_progress(current_user.person_id, sheet.version.activity.key), clock.now()
    return render_template(
        "learning/not_passed.html",
        sheet=sheet,
        missed=missed,
        plan=queries.study_plan(missed),
        module=module,
        attempts_left=module.attempts_left,
        opens_at=queries.future_or_none(module.next_attempt_opens_at, now),
        paused=module.paused_until(now) is not None,
    )
