"""Pages of spaced recall: what may be recalled, three questions, and their answers; what many forgot."""

from dataclasses import replace
from typing import Any

from flask import Blueprint, flash, get_template_attribute, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user
from markupsafe import Markup

from portal.domain.assessment.queries import has_open_attempt
from portal.domain.catalogue.lesson_html import fill_placeholders
from portal.domain.catalogue.version_cache import current_version
from portal.domain.item_kinds.base import AnswerError
from portal.features.recall import queries, services
from portal.features.recall.queries import ModuleRecall, RecallQuestion
from portal.features.recall.services import RecallAnswerError
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, require
from portal.platform.permissions import Permission

bp = Blueprint("recall", __name__, template_folder="templates")

# For the learner alone.


@bp.get("/learning/recall")
@requires(Permission.LEARN)
def show_recalls() -> ResponseReturnValue:
    """List the modules that the person may recall, with the day of each; turn recall off or on."""
    today = clock.today()
    return render_template(
        "recall/index.html",
        recalls=queries.list_recalls(current_user.person_id, today),
        is_off=queries.is_turned_off(current_user.person_id),
        today=today,
    )


@bp.post("/learning/recall")
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


@bp.get("/learning/recall/<slug>")
@requires(Permission.LEARN)
def ask_recall(slug: str) -> ResponseReturnValue:
    """Ask three questions of a module; before they are due, show when that is."""
    recall = queries.own_recall(current_user.person_id, slug, clock.today())
    if not recall.is_due(clock.today()) or _is_being_assessed(recall):
        return redirect(url_for(".show_recalls"), 303)
    return _render_questions(recall, queries.draw_recall(recall, recall.version), recall.version.id)


@bp.post("/learning/recall/<slug>")
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
    chosen: dict[str, Any] = {q.field: request.form.getlist(q.field) for q in questions}
    return redirect(url_for(".show_recall_answers", slug=slug, number=number, **chosen), 303)


@bp.get("/learning/recall/<slug>/answers/<int:number>")
@requires(Permission.LEARN)
def show_recall_answers(slug: str, number: int) -> ResponseReturnValue:
    """Show the answers to a recall, why each is right, and the lessons to look at again."""
    recall = queries.own_recall(current_user.person_id, slug, clock.today())
    questions = queries.answered_questions(recall, number)
    if _is_being_assessed(recall):
        return redirect(url_for(".show_recalls"), 303)
    return render_template(
        "recall/answers.html",
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
        "recall/questions.html",
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


def show_card() -> Markup:
    """What the person may recall today, on My learning; nothing where nothing is due."""
    recalls = queries.list_due_recalls(current_user.person_id, clock.today())
    card: Markup = get_template_attribute("recall/card.html", "recall_card")(recalls)
    return card


# For authors: what learners have forgotten some time after their pass, by outcome and of many together.


@bp.get("/authoring/<module:key>/recall")
@requires(Permission.AUTHORING_VIEW)
def show_outcomes(key: str) -> ResponseReturnValue:
    """Show how recall questions about each outcome went; nothing of fewer than ten people."""
    version = require(current_version(key), "This module is not published.")
    by_outcome = queries.recall_by_outcome(version.activity_id)
    rows = [
        (outcome["text"], by_outcome.get(outcome["key"], queries.OutcomeRecall(outcome["key"], 0, 0, 0)))
        for outcome in version.outcomes
    ]
    return render_template(
        "recall/outcomes.html",
        key=key,
        version=version,
        rows=sorted(rows, key=_worst_first),
        least=queries.LEAST_PEOPLE,
    )


def _worst_first(row: tuple[str, queries.OutcomeRecall]) -> tuple[bool, float]:
    """Outcomes that are shown before the others, the least remembered first."""
    recall = row[1]
    return not recall.is_shown, recall.right / recall.answers if recall.is_shown else 0


def link_for_authors(key: str) -> tuple[str, str]:
    """The link to what is forgotten of a module."""
    return "What is forgotten after the pass", url_for("recall.show_outcomes", key=key)
