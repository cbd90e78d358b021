"""Pages of “Was this clear?”: saying so under a lesson or question, and what authors answered."""

from datetime import timedelta
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assessment import queries as assessment
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.clarity import services
from portal.domain.clarity.queries import REPLY_IS_NEW, count_replies_since, own_clarity
from portal.domain.learning.queries import module_reading_with_lesson
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission

THANKS = "Thank you. The authors see it without your name."


def add_clarity_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of My learning."""
    bp.add_url_rule("/learning/clear", view_func=show_clarity)
    bp.add_url_rule("/learning/clear", view_func=erase_clarity_answer, methods=["POST"])
    bp.add_url_rule(
        "/learning/modules/<slug>/lessons/<key>/clear", view_func=say_lesson_was_clear, methods=["POST"]
    )
    bp.add_url_rule(
        "/assessment/<uuid:attempt_id>/answers/<int:number>/clear",
        view_func=say_item_was_clear,
        methods=["POST"],
    )


def count_new_replies() -> int:
    """How many of the person's words were answered lately. One statement."""
    since: timedelta = REPLY_IS_NEW
    return count_replies_since(current_user.person_id, clock.now() - since)


@requires(Permission.LEARN)
def show_clarity() -> ResponseReturnValue:
    """List what the person said of lessons and questions, with the authors' answers."""
    return render_template(
        "learning/clarity.html", answers=own_clarity(current_user.person_id), fill=fill_placeholders
    )


@requires(Permission.LEARN)
def erase_clarity_answer() -> ResponseReturnValue:
    """Erase what the person said of one lesson or question."""
    with transaction():
        services.erase_own_answer(current_user.person_id, request.form.get("answer", type=int) or 0)
    flash("Erased", "success")
    return redirect(url_for(".show_clarity"), 303)


@requires(Permission.LEARN)
def say_lesson_was_clear(slug: str, key: str) -> ResponseReturnValue:
    """Save whether a lesson was clear."""
    module = module_reading_with_lesson(current_user.person_id, slug, key)
    lesson = module.lesson_by_key(key)
    _save_answer(module.version.activity_id, module.version.id, f"lesson:{lesson.key}")
    return redirect(url_for(".show_lesson", slug=slug, key=key), 303)


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
