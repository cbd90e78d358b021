"""Pages of spaced recall: what may be recalled, three questions, and their answers. For the learner alone."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.assessment.queries import has_open_attempt
from portal.domain.catalogue.markdown.placeholders import fill_placeholders
from portal.domain.item_kinds.base import AnswerError
from portal.domain.recall import queries, services
from portal.domain.recall.queries import ModuleRecall, RecallQuestion
from portal.domain.recall.services import RecallAnswerError
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError
from portal.platform.permissions import Permission


def add_recall_pages(bp: Blueprint) -> None:
    """Add these pages to the blueprint of My learning."""
    bp.add_url_rule("/learning/recall", view_func=show_recalls)
    bp.add_url_rule("/learning/recall", view_func=choose_recall, methods=["POST"])
    bp.add_url_rule("/learning/recall/<slug>", view_func=ask_recall)
    bp.add_url_rule("/learning/recall/<slug>", view_func=answer_recall, methods=["POST"])
    bp.add_url_rule("/learning/recall/<slug>/answers/<int:number>", view_func=show_recall_answers)


@requires(Permission.LEARN)
def show_recalls() -> ResponseReturnValue:
    """List the modules that the person may recall, with the day of each; turn recall off or on."""
    today = clock.today()
    return render_template(
        "learning/recalls.html",
        recalls=queries.list_recalls(current_user.person_id, today),
        is_off=queries.is_turned_off(current_user.person_id),
        today=today,
    )


@requires(Permission.LEARN)
def choose_recall() -> ResponseReturnValue:
    """Turn recall off or on, or erase the person's answers."""
    person_id, choice = current_user.person_id, request.form.get("choice")
    with transaction():
        if choice == "off":
            services.turn_off(person_id, at=clock.now())
        elif choice == "on":
            services.turn_on(person_id)
        elif choice == "erase":
            services.erase_answers([person_id])
    said = {
        "off": "Recall is off. You get no questions and no email about them.",
        "on": "Recall is on",
        "erase": "Your answers are erased",
    }
    if choice in said:
        flash(said[choice], "success")
    return redirect(url_for(".show_recalls"), 303)


@requires(Permission.LEARN)
def ask_recall(slug: str) -> ResponseReturnValue:
    """Ask three questions of a module; before they are due, show when that is."""
    recall = queries.own_recall(current_user.person_id, slug, clock.today())
    if not recall.is_due(clock.today()) or _is_being_assessed(recall):
        return redirect(url_for(".show_recalls"), 303)
    return _render_questions(recall, queries.draw_recall(recall, recall.version), recall.version.id)


@requires(Permission.LEARN)
def answer_recall(slug: str) -> ResponseReturnValue:
    """Save whether each answer is right, then show the answers; the address alone has what was chosen."""
    recall = queries.own_recall(current_user.person_id, slug, clock.today())
    if _is_being_assessed(recall):
        return redirect(url_for(".show_recalls"), 303)
    number = request.form.get("number", type=int) or 0
    if number != recall.earlier + 1:  # answered already, in another window
        return redirect(url_for(".show_recall_answers", slug=slug, number=number), 303)
    version = queries.shown_version(recall, request.form.get("version", type=int))
    questions = queries.draw_recall(recall, version)
    try:
        answers = services.read_answers(questions, request.form.to_dict(flat=False))
        with transaction():
            services.save_answers(recall, version.id, questions, answers, at=clock.now())
    except RecallAnswerError as error:
        return _render_questions(recall, _with_answers(questions, error), version.id, error)
    except ConflictError:
        return redirect(url_for(".show_recalls"), 303)
    chosen: dict[str, Any] = {question.field: request.form.getlist(question.field) for question in questions}
    return redirect(url_for(".show_recall_answers", slug=slug, number=number, **chosen), 303)


@requires(Permission.LEARN)
def show_recall_answers(slug: str, number: int) -> ResponseReturnValue:
    """Show the answers to a recall, why each is right, and the lessons to look at again."""
    recall = queries.own_recall(current_user.person_id, slug, clock.today())
    questions = queries.answered_questions(recall, number)
    if _is_being_assessed(recall):
        return redirect(url_for(".show_recalls"), 303)
    return render_template(
        "learning/recall_answers.html",
        recall=recall,
        questions=[_with_address(question) for question in questions],
        right=sum(bool(question.correct) for question in questions),
        lessons_of=recall.lessons_of,
        fill=fill_placeholders,
    )


def _is_being_assessed(recall: ModuleRecall) -> bool:
    """Whether an attempt at the module is open, during which no right answer is shown; says so if it is."""
    if not has_open_attempt(recall.person_id, recall.version.activity_id):
        return False
    flash(f"Submit your attempt at {recall.short_title} first. Until then no answers are shown.", "error")
    return True


def _render_questions(
    recall: ModuleRecall,
    questions: list[RecallQuestion],
    version_id: int,
    error: RecallAnswerError | None = None,
) -> ResponseReturnValue:
    return render_template(
        "learning/recall.html",
        recall=recall,
        questions=questions,
        version_id=version_id,
        errors={place: sentence for sentence, place in error.problems} if error else {},
        fill=fill_placeholders,
    )


def _with_answers(questions: list[RecallQuestion], error: RecallAnswerError) -> list[RecallQuestion]:
    """The questions with what was chosen, to be shown again."""
    return [
        replace(question, answer=error.read.get(question.field, question.answer)) for question in questions
    ]


def _with_address(question: RecallQuestion) -> RecallQuestion:
    """The question with the choice that the address has; without one where it has none of its choices."""
    sent = {"choice": request.args.getlist(question.field)}
    try:
        answer = question.kind.read_answer(question.item.content, question.order, sent)
    except AnswerError:
        return question
    return replace(question, answer=answer)
