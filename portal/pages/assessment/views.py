"""Pages of an assessment: one question a page, the check before submission, and the marked answers."""

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assessment import queries, services
from portal.domain.assessment.errors import AlreadySubmittedError, UnansweredItemsError
from portal.domain.assessment.queries import AnswerSheet
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.item_kinds.base import AnswerError
from portal.pages.layout.access import list_parts, requires
from portal.platform import clock
from portal.platform.db import stamp, transaction
from portal.platform.permissions import Permission

bp = Blueprint("assessment", __name__, url_prefix="/assessment", template_folder="templates")


def _own_answer_sheet(attempt_id: UUID) -> AnswerSheet:
    return queries.load_answer_sheet(queries.own_attempt(attempt_id, current_user.person_id))


@bp.get("/<uuid:attempt_id>")
@requires(Permission.ATTEMPT_TAKE)
def resume_attempt(attempt_id: UUID) -> ResponseReturnValue:
    """Redirect to the first unanswered question, else the check of all; to the outcome once submitted."""
    sheet = _own_answer_sheet(attempt_id)
    if sheet.submission is not None:
        return redirect(url_for("learning.show_outcome", attempt_id=attempt_id), 303)
    if not sheet.unanswered_numbers:
        return redirect(url_for(".check_answers", attempt_id=attempt_id), 303)
    return redirect(url_for(".show_item", attempt_id=attempt_id, number=sheet.unanswered_numbers[0]), 303)


@bp.get("/<uuid:attempt_id>/items/<int:number>")
@requires(Permission.ATTEMPT_TAKE)
def show_item(attempt_id: UUID, number: int) -> ResponseReturnValue:
    """Show one question."""
    sheet = _own_answer_sheet(attempt_id)
    if sheet.submission is not None:
        return redirect(url_for("learning.show_outcome", attempt_id=attempt_id), 303)
    return _render_item(sheet, number)


@bp.post("/<uuid:attempt_id>/items/<int:number>")
@requires(Permission.ATTEMPT_TAKE)
def save_answer(attempt_id: UUID, number: int) -> ResponseReturnValue:
    """Save the answer, then show the next question; after a change, the check of all."""
    attempt = queries.own_attempt(attempt_id, current_user.person_id)
    try:
        with transaction(early_release=True):
            goes_on = services.save_response(attempt, number, request.form.to_dict(flat=False), clock.now())
    except AnswerError as error:
        return _render_item(_own_answer_sheet(attempt_id), number, error)
    except AlreadySubmittedError as error:
        page = render_template("assessment/already_submitted.html", attempt_id=attempt_id, message=str(error))
        return page, 409
    changing = request.form.get("from") == "check"
    if not goes_on:
        here = url_for(".show_item", attempt_id=attempt_id, number=number)
        return redirect(f"{here}?from=check" if changing else here, 303)
    if changing or number >= len(attempt.drawn_items):
        return redirect(url_for(".check_answers", attempt_id=attempt_id), 303)
    return redirect(url_for(".show_item", attempt_id=attempt_id, number=number + 1), 303)


def _render_item(sheet: AnswerSheet, number: int, error: AnswerError | None = None) -> ResponseReturnValue:
    question = sheet.question_at(number)
    if error is not None:
        question = replace(question, answer=error.answer_to_show(question.answer))
    return render_template(
        "assessment/item.html",
        sheet=sheet,
        question=question,
        kind=question.kind,
        shown=question.item_view,
        errors={place: sentence for sentence, place in error.problems} if error else {},
        changing=request.values.get("from") == "check",
        fill=fill_placeholders,
    )


@bp.get("/<uuid:attempt_id>/check")
@requires(Permission.ATTEMPT_TAKE)
def check_answers(attempt_id: UUID) -> ResponseReturnValue:
    """Show every answer before submission, missing ones first."""
    sheet = _own_answer_sheet(attempt_id)
    if sheet.submission is not None:
        return redirect(url_for("learning.show_outcome", attempt_id=attempt_id), 303)
    return render_template("assessment/check.html", sheet=sheet, fill=fill_placeholders)


@bp.post("/<uuid:attempt_id>/submission")
@requires(Permission.ATTEMPT_TAKE)
def submit_attempt(attempt_id: UUID) -> ResponseReturnValue:
    """Mark the attempt, then show the outcome; a second click shows the same outcome."""
    if queries.own_attempt(attempt_id, current_user.person_id).submission is not None:
        return redirect(url_for("learning.show_outcome", attempt_id=attempt_id), 303)
    try:
        at = clock.now()
        with transaction():
            stamp()  # before anything is read that the marks depend on
            attempt = queries.own_attempt(attempt_id, current_user.person_id, lock=True)
            services.submit_attempt(attempt, at=at)
    except UnansweredItemsError as error:
        flash(str(error), "error")
        return redirect(url_for(".check_answers", attempt_id=attempt_id), 303)
    return redirect(url_for("learning.show_outcome", attempt_id=attempt_id), 303)


@bp.get("/<uuid:attempt_id>/answers")
@requires(Permission.ATTEMPT_TAKE)
def show_answers(attempt_id: UUID) -> ResponseReturnValue:
    """Show the answers of a submitted attempt; the correct ones only after a pass."""
    sheet = _own_answer_sheet(attempt_id)
    if sheet.submission is None:
        return redirect(url_for(".resume_attempt", attempt_id=attempt_id), 303)
    shows_key = sheet.submission.passed and not queries.has_open_attempt(
        current_user.person_id, sheet.version.activity_id
    )
    return render_template(
        "assessment/answers.html",
        sheet=sheet,
        shows_key=shows_key,
        fill=fill_placeholders,
        below=list_parts("assessment.answer"),
    )
