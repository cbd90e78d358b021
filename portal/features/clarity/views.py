"""Pages of “Was this clear?”: saying so, what authors answered, and what authors see without names."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from flask import Blueprint, flash, get_template_attribute, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from portal.domain.assessment import queries as assessment
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.version_cache import current_version
from portal.domain.learning.queries import module_reading_with_lesson
from portal.domain.people.visibility import Viewer
from portal.domain.reminders.sending import mail_hours
from portal.features.clarity import services
from portal.features.clarity.mails import queue_reply_mail
from portal.features.clarity.services import (
    LEAST_PEOPLE,
    LONGEST_REPLY,
    REPLY_IS_NEW,
    PlaceFeedback,
    count_open_words,
    count_replies_since,
    feedback_by_place,
    own_clarity,
    reply_to_words,
)
from portal.pages.layout.access import requires
from portal.pages.layout.navigation import Waiting
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import RuleError, require
from portal.platform.permissions import Permission
from portal.platform.wording import plural

THANKS = "Thank you. The authors see it without your name."
AUTHORS_LINK = "What learners found clear or unclear"

bp = Blueprint("clarity", __name__, template_folder="templates")

# Saying so under a lesson or question, and what authors answered.


@bp.get("/learning/clear")
@requires(Permission.LEARN)
def show_own_answers() -> ResponseReturnValue:
    """List what the person said of lessons and questions, with the authors' answers."""
    answers = own_clarity(current_user.person_id)
    return render_template("clarity/own.html", answers=answers, fill=fill_placeholders)


@bp.post("/learning/clear")
@requires(Permission.LEARN)
def erase_own_answer() -> ResponseReturnValue:
    """Erase what the person said of one lesson or question."""
    with transaction():
        services.erase_own_answer(current_user.person_id, request.form.get("answer", type=int) or 0)
    flash("Erased", "success")
    return redirect(url_for(".show_own_answers"), 303)


@bp.post("/learning/modules/<slug>/lessons/<key>/clear")
@requires(Permission.LEARN)
def say_lesson_was_clear(slug: str, key: str) -> ResponseReturnValue:
    """Save whether a lesson was clear."""
    module = module_reading_with_lesson(current_user.person_id, slug, key)
    lesson = module.lesson_by_key(key)
    _save_answer(module.version.activity_id, module.version.id, f"lesson:{lesson.key}")
    return redirect(url_for("learning.show_lesson", slug=slug, key=key), 303)


@bp.post("/assessment/<uuid:attempt_id>/answers/<int:number>/clear")
@requires(Permission.ATTEMPT_TAKE)
def say_item_was_clear(attempt_id: UUID, number: int) -> ResponseReturnValue:
    """Save whether a question of a submitted attempt was clear."""
    sheet = assessment.load_answer_sheet(assessment.own_attempt(attempt_id, current_user.person_id))
    if sheet.submission is None:
        return redirect(url_for("assessment.resume_attempt", attempt_id=attempt_id), 303)
    item = sheet.question_at(number).item
    _save_answer(sheet.version.activity_id, sheet.version.id, f"item:{item.key}")
    return redirect(url_for("assessment.show_answers", attempt_id=attempt_id) + f"#question-{number}", 303)


def _save_answer(activity_id: int, version_id: int, place: str) -> None:
    """Save the answer of the form, and say so or why not."""
    try:
        with transaction():
            services.save_answer(
                current_user.person_id,
                activity_id,
                version_id,
                place,
                clear=request.form.get("clear") == "yes",
                words=request.form.get("words", ""),
                at=clock.now(),
            )
    except RuleError as error:
        flash(str(error), "error")
    else:
        flash(THANKS, "success")


# What learners find unclear, by lesson and question, and the authors' answers to their words.


class PlaceRow(NamedTuple):
    """A lesson or question with what learners say of it."""

    place: str
    title: str  # safe HTML of a question's prompt; of a lesson, its title
    feedback: PlaceFeedback


@bp.get("/authoring/<module:key>/clear")
@requires(Permission.AUTHORING_VIEW)
def show_answers(key: str) -> ResponseReturnValue:
    """Show what learners found clear, and their words, without their names."""
    return _render_answers(key)


@bp.post("/authoring/<module:key>/clear")
@requires(Permission.DRAFT_EDIT)
def reply_to_learner(key: str) -> ResponseReturnValue:
    """Answer what somebody wrote; whoever it was sees the answer, and gets a mail."""
    answer_id, text = request.form.get("answer", type=int) or 0, request.form.get("text", "")
    now = clock.now()
    try:
        with transaction():
            person_id = reply_to_words(key, answer_id, text, by=current_user.person_id, at=now)
            queue_reply_mail(person_id, at=now, hours=mail_hours())
    except RuleError as error:
        return _render_answers(key, answer_id, text, str(error)), 400
    flash("Sent. Whoever wrote this sees your answer on My learning, without your name.", "success")
    return redirect(url_for(".show_answers", key=key), 303)


def _render_answers(key: str, failed: int = 0, typed: str = "", error: str = "") -> str:
    """Render the page; ``failed`` are the words whose answer could not be sent."""
    version = require(current_version(key), "This module is not published.")
    feedback = feedback_by_place(version.activity_id)
    open_words = sum(len(place.open_words) for place in feedback.values())
    lessons, items = _rows(version, feedback)
    return render_template(
        "clarity/answers.html",
        key=key,
        version=version,
        groups=[("Lessons", lessons), ("Questions", items), ("No longer in the module", _others(feedback))],
        open_words=open_words,
        least=LEAST_PEOPLE,
        longest=LONGEST_REPLY,
        failed=failed,
        typed=typed,
        error=error,
        may_reply=Permission.DRAFT_EDIT in current_user.permissions,
        fill=fill_placeholders,
    )


def _rows(
    version: ModuleVersion, feedback: dict[str, PlaceFeedback]
) -> tuple[list[PlaceRow], list[PlaceRow]]:
    """The lessons and questions of which somebody said something, in their order; takes them out."""
    lessons = [
        PlaceRow(place, f"{lesson.position}. {lesson.title}", feedback.pop(place))
        for lesson in version.lessons
        for place in [f"lesson:{lesson.key}"]
        if place in feedback
    ]
    items = [
        PlaceRow(place, item.prompt_html, feedback.pop(place))
        for item in version.items
        for place in [f"item:{item.key}"]
        if place in feedback
    ]
    return lessons, items


def _others(feedback: dict[str, PlaceFeedback]) -> list[PlaceRow]:
    return [PlaceRow(place, place.partition(":")[2], row) for place, row in sorted(feedback.items())]


# What other pages show of it.


def ask_about_lesson(slug: str, key: str) -> Markup:
    """The form below a lesson."""
    action = url_for("clarity.say_lesson_was_clear", slug=slug, key=key)
    return _draw_form("Was this lesson clear?", action, "lesson")


def ask_about_item(attempt_id: UUID, number: int) -> Markup:
    """The form below a question of a submitted attempt."""
    action = url_for("clarity.say_item_was_clear", attempt_id=attempt_id, number=number)
    return _draw_form(f"Was question {number} clear?", action, number)


def _draw_form(question: str, action: str, place: Any) -> Markup:
    form: Markup = get_template_attribute("clarity/form.html", "clarity_form")(question, action, place)
    return form


def show_new_replies() -> Markup:
    """How many of the person's words were answered lately, on My learning; nothing if none. One statement."""
    count = count_replies_since(current_user.person_id, clock.now() - REPLY_IS_NEW)
    if not count:
        return Markup()
    replies: Markup = get_template_attribute("clarity/replies.html", "new_replies")(count)
    return replies


def link_for_authors(key: str) -> tuple[str, str]:
    """The link to what learners say of a module."""
    return AUTHORS_LINK, url_for("clarity.show_answers", key=key)


def link_to_words() -> Iterator[tuple[str, str]]:
    """Links to words that wait for an author's answer, a module each."""
    for key, count in count_open_words().items():
        text = f"{plural(count, 'note')} from learners on “{key}” to answer"
        yield text, url_for("clarity.show_answers", key=key)


def find_words(_viewer: Viewer) -> Iterator[Waiting]:
    """What waits for an author's answer."""
    for key, count in count_open_words().items():
        yield Waiting(
            f"{plural(count, 'note waits', 'notes wait')} for an author’s answer, about “{key}”",
            plural(count, f"note on “{key}” to answer", f"notes on “{key}” to answer"),
            url_for("clarity.show_answers", key=key),
            "What somebody found clear or unclear, without their name",
        )
