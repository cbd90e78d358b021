"""Pages of My learning, modules, lessons and the outcome of an assessment."""

from dataclasses import replace
from functools import partial
from io import BytesIO
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from config import Config
from portal.domain import cases as domain_cases
from portal.domain.assessment import queries as assessment
from portal.domain.cases import LATER, CopyRefusedError, shares_within_minute
from portal.domain.catalogue.lesson_html import answer_checks, fill_placeholders, number_parts
from portal.domain.catalogue.markdown import fold_duty_parts, has_duty_parts
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.publishing import guide_summaries
from portal.domain.catalogue.services import archive_of, offered_modules
from portal.domain.catalogue.version_cache import PublishedLesson, minimum_of, shared_key
from portal.domain.directives.queries import withdrawn_directives_of
from portal.domain.directives.services import exclusions_on
from portal.domain.item_kinds.base import AnswerError
from portal.domain.learning import my_learning, queries, services
from portal.domain.learning.queries import newest_version, read_newest_pass
from portal.domain.learning.services import CaseLesson, build_pre_test, offers_pre_test
from portal.domain.records.queries import reference_of
from portal.domain.reminders.rules import list_kind_titles
from portal.domain.reminders.sending import list_own_messages
from portal.pages.layout.access import list_parts, requires
from portal.pages.layout.bearer import log_disclosure
from portal.pages.layout.pdf_files import markup_of_page, send_pdf
from portal.pages.layout.query_arguments import open_at_place, sent_check_answers
from portal.platform import clock
from portal.platform.db import transaction, try_to_write
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.formats.calendar_files import write_calendar
from portal.platform.permissions import Permission
from portal.platform.wording import date

# Ticks beside one's own text, a copy shown to one's line manager, and that manager's page of the copy.
#
# Who reads a copy follows from the copy alone: the person whom the learner named, and nobody by a role.

_DEBRIEF = "/learning/modules/<slug>/lessons/<key>/debriefs/<int:number>"


def add_copy_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of My learning."""
    bp.add_url_rule(f"{_DEBRIEF}/rubric", view_func=save_rubric, methods=["POST"])
    bp.add_url_rule(f"{_DEBRIEF}/copy", view_func=show_copy, methods=["POST"])
    bp.add_url_rule("/learning/copies", view_func=list_copies)
    bp.add_url_rule("/learning/copies/<int:copy_id>", view_func=read_copy)
    bp.add_url_rule("/learning/copies/<int:copy_id>", view_func=save_copy_rubric, methods=["POST"])
    bp.add_url_rule("/learning/copies/<int:copy_id>/end", view_func=take_copy_back, methods=["POST"])


@requires(Permission.LEARN)
def save_rubric(slug: str, key: str, number: int) -> ResponseReturnValue:
    """Save what the learner ticked beside their own texts."""
    form = request.form.to_dict(flat=False)
    with transaction():
        services.save_own_rubric(current_user.person_id, slug, key, number, form, clock.now())
    flash("What you ticked is saved. Nothing is scored.", "success")
    return redirect(url_for(".show_lesson", slug=slug, key=key), 303)


@requires(Permission.LEARN)
def show_copy(slug: str, key: str, number: int) -> ResponseReturnValue:
    """Show a copy of the learner's texts to the line manager whom they agreed to."""
    form = request.form.to_dict(flat=False)
    try:
        with transaction():
            services.show_copy(current_user.person_id, slug, key, number, form, clock.now())
    except CopyRefusedError as error:
        flash(str(error), "error")
    else:
        flash("A copy is shown. You can take it back at any time.", "success")
    return redirect(url_for(".show_lesson", slug=slug, key=key) + "#copy", 303)


@requires(Permission.LEARN)
def list_copies() -> ResponseReturnValue:
    """List the copies that are shown to the person, and those that they show."""
    return render_template(
        "learning/copies.html",
        shown_to_me=domain_cases.copies_shown_to(current_user.person_id, clock.now()),
        shown_by_me=domain_cases.copies_shown_by(current_user.person_id),
    )


@requires(Permission.LEARN)
def read_copy(copy_id: int) -> ResponseReturnValue:
    """Show a copy to the person whom its writer named, beside the model, with the rubric."""
    reading = services.read_copy(current_user.person_id, copy_id, clock.now())
    log_disclosure(reading.copy.learner.id, "copy")
    return render_template(
        "learning/copy.html",
        reading=reading,
        copy=reading.copy,
        incident_html=reading.case.kind.opening_html(reading.case.content),
        fill=partial(fill_placeholders, shared=shared_key()),
    )


@requires(Permission.LEARN)
def save_copy_rubric(copy_id: int) -> ResponseReturnValue:
    """Save what the manager ticked and chose; the writer sees it beside their own ticks."""
    form = request.form.to_dict(flat=False)
    with transaction():
        copy = services.apply_rubric(current_user.person_id, copy_id, form, clock.now())
    flash(f"Saved. {copy.learner.name} sees it beside their own text.", "success")
    return redirect(url_for(".list_copies"), 303)


@requires(Permission.LEARN)
def take_copy_back(copy_id: int) -> ResponseReturnValue:
    """End the showing of one's own copy, and erase it."""
    with transaction():
        copy = services.take_copy_back(current_user.person_id, copy_id, clock.now())
    flash(f"The copy is erased. {copy.manager.name} can no longer read it.", "success")
    return redirect(url_for(".list_copies"), 303)


# The try before a module's lessons: questions on one page, then the lessons to read. Nothing is stored.


def add_pre_test_pages(bp: Blueprint) -> None:
    """Add the page to the blueprint of My learning."""
    bp.add_url_rule("/learning/modules/<slug>/pre-test", view_func=take_pre_test, methods=["GET", "POST"])


@requires(Permission.LEARN)
def take_pre_test(slug: str) -> ResponseReturnValue:
    """Ask the questions of the try before the lessons; answer with the lessons to read. Nothing is stored."""
    module = queries.module_reading(current_user.person_id, slug)
    if not offers_pre_test(module):
        flash("The try is for those who have not completed a lesson yet, in modules that offer it.", "error")
        return redirect(url_for(".show_module", slug=slug), 303)
    pre_test = build_pre_test(module)
    if request.method == "POST":
        plan = pre_test.plan_reading(request.form.to_dict(flat=False))
        return render_template("learning/pre_test_plan.html", module=module, plan=plan)
    questions = [fill_placeholders(check.html, module.shared) for check in pre_test.questions]
    return render_template("learning/pre_test.html", module=module, questions=questions)


# The job aid and the briefing of a module, as page and as PDF, and the page of all briefings.

TOOLKIT = "supervisors-toolkit"  # the key of the guide that the page of briefings names


def add_sheet_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of My learning."""
    bp.add_url_rule("/learning/briefings", view_func=list_briefings)
    for name, show, download in (
        ("job-aid", show_job_aid, download_job_aid),
        ("briefing", show_briefing, download_briefing),
    ):
        bp.add_url_rule(f"/learning/modules/<slug>/{name}", view_func=show)
        bp.add_url_rule(f"/learning/modules/<slug>/{name}.pdf", view_func=download)


@requires(Permission.LEARN)
def show_job_aid(slug: str) -> ResponseReturnValue:
    """Show the job aid of a module's newest version."""
    version = newest_version(slug)
    if version.job_aid_html is None:
        raise NotFoundError("This module has no job aid.")
    html = open_at_place(fill_placeholders(version.job_aid_html))
    return render_template("learning/job_aid.html", version=version, html=html)


@requires(Permission.LEARN)
def download_job_aid(slug: str) -> ResponseReturnValue:
    """Download the job aid as a tagged PDF, to print or save."""
    version = newest_version(slug)
    if version.job_aid_html is None or version.job_aid_title is None:
        raise NotFoundError("This module has no job aid.")
    return _send_sheet(version, version.job_aid_title, version.job_aid_html, "Job aid")


@requires(Permission.LEARN)
def show_briefing(slug: str) -> ResponseReturnValue:
    """Show the briefing of a module's newest version, to be read out at parade."""
    version = newest_version(slug)
    if version.briefing_html is None:
        raise NotFoundError("This module has no briefing.")
    return render_template(
        "learning/briefing.html",
        version=version,
        html=open_at_place(fill_placeholders(version.briefing_html)),
    )


@requires(Permission.LEARN)
def download_briefing(slug: str) -> ResponseReturnValue:
    """Download the briefing as a tagged PDF, to print or save."""
    version = newest_version(slug)
    if version.briefing_html is None or version.briefing_title is None:
        raise NotFoundError("This module has no briefing.")
    return _send_sheet(version, version.briefing_title, version.briefing_html, "Briefing")


@requires(Permission.LEARN)
def list_briefings() -> ResponseReturnValue:
    """List the briefing of each module and the supervisor's toolkit, for whoever leads others."""
    return render_template(
        "learning/briefings.html",
        versions=[version for version in offered_modules() if version.briefing_title],
        toolkit=next((guide for guide in guide_summaries() if guide.key == TOOLKIT), None),
    )


def _send_sheet(version: ModuleVersion, title: str, html: str, kind: str) -> ResponseReturnValue:
    return send_pdf(
        markup_of_page(fill_placeholders(html)),
        title=title,
        above=f"{kind} · {version.title}",
        foot=f"version {version.number}, published on {date(version.published_at)}",
        at=version.published_at,
        name=f"{version.activity.key}-{kind.lower().replace(' ', '-')}.pdf",
        strict=False,  # what was once published is there to be printed, whatever its headings are
    )


bp = Blueprint("learning", __name__, template_folder="templates")
add_copy_pages(bp)
add_pre_test_pages(bp)
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
        own_events=[show(current_user.person_id, learning.now) for show in list_parts("learning.events")],
        page_of_event=next(iter(list_parts("learning.event")), None),
        beside=[task for find in list_parts("learning.home") for task in find(current_user.viewer)],
        before_tasks=[show() for show in list_parts("learning.home.before_tasks")],
        after_tasks=[show() for show in list_parts("learning.home.after_tasks")],
    )


@bp.get("/learning/due-dates.ics")
@requires(Permission.LEARN)
def download_due_dates() -> ResponseReturnValue:
    """Download the person's due dates to come, for their calendar."""
    config: Config = current_app.config["PORTAL"]
    person_id, now = current_user.person_id, clock.now()
    learning = my_learning.load_my_learning(person_id, now)
    events = my_learning.list_due_events(learning, person_id, config.address, clock.today())
    content = write_calendar(f"{config.force_name} Learning portal", events, now)
    return send_file(BytesIO(content), "text/calendar", as_attachment=True, download_name="due-dates.ics")


@bp.get("/learning/messages")
@requires(Permission.LEARN)
def list_messages() -> ResponseReturnValue:
    """List what the portal emailed the person."""
    messages = list_own_messages(current_user.viewer, clock.now())
    return render_template("learning/messages.html", sent_messages=messages, titles=list_kind_titles())


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
    case = services.load_case(person_id, module, lesson, again="again" in request.args)
    if case is not None:
        return _render_case(module, lesson, case)
    text = answer_checks(number_parts(module.version.lesson_html(lesson)), sent_check_answers())
    html = fill_placeholders(text, module.shared)
    if has_duty_parts(html):
        html = fold_duty_parts(html, queries.own_duties(person_id, module.shared, clock.today()))
    html = open_at_place(html)
    return render_template(
        "learning/lesson.html", module=module, lesson=lesson, html=html, below=_show_below(module, lesson)
    )


def _show_below(module: queries.ModuleReading, lesson: PublishedLesson) -> list[Markup]:
    """What features show below the text of a lesson."""
    return [show(module.slug, lesson.key) for show in list_parts("learning.lesson")]


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
        below=_show_below(module, lesson) if case.ended else [],
        debrief=services.load_debrief(current_user.person_id, case, now),
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
            services.save_case_step(person_id, module, lesson, number, form, clock.now())
    except AnswerError as error:
        case = services.load_case(person_id, module, lesson, again=True)
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
