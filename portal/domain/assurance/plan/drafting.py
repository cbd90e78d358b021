"""Writing the next version of the plan, section by section, and sending it to a second person.

A proposal without a note is being written; its note is asked for when it is sent. Only its author writes in
it. What was written is kept when it ends, so that the next one begins with it.
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from sqlalchemy import select

from portal.domain.assurance.models import PlanProposal, PlanVersion
from portal.domain.assurance.plan.guide_text import clean_answer
from portal.domain.assurance.plan.reading import newest_plan, open_plan_proposal, read_plan_id
from portal.domain.assurance.plan.template import PlanQuestion, plan_template
from portal.domain.catalogue.queries import shared_content
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.platform.proposals import LONGEST_NOTE, end_proposal, lock_proposal, refuse_withdrawing

USUAL_REVIEW = timedelta(days=365)
LATEST_REVIEW = timedelta(days=3 * 366)


def begin_plan(*, by: int, at: datetime) -> int:
    """Begin the next version with what is there: what was ended since, else the plan, else what pages show.

    Raises:
        ConflictError: Somebody has begun it already.
    """
    stamp()
    plan_id = read_plan_id()
    if open_plan_proposal() is not None:
        raise ConflictError("Somebody is already writing the next version of the plan.")
    row = PlanProposal(
        recommendation_id=plan_id,
        content=_first_answers(plan_id),
        review_on=london_day(at) + USUAL_REVIEW,
        note="",
        proposed_by_id=by,
        proposed_at=at,
        reason="",
    )
    db.session.add(row)
    db.session.flush()
    log("plan.begun", actor_id=by, number=next_number(newest_plan(plan_id)))
    return row.id


def save_section(
    proposal_id: int, section_key: str, answers: Mapping[str, str], *, by: int, at: datetime
) -> None:
    """Keep the answers of one section; those of the others stay. An empty answer is taken out.

    Raises:
        BadInputError: An answer is too long.
        ConflictError: It has ended.
        NotFoundError: There is no such proposal or section.
        RuleError: Somebody else writes it, or it waits for a second person.
    """
    row = _lock_own(proposal_id, by)
    section = plan_template().find_section(section_key)
    if section is None:
        raise NotFoundError("The plan has no such section.")
    new_answers = {
        question.key: clean_answer(answers.get(question.key, ""), question.kind)
        for question in section.questions
    }
    faults = [
        fault
        for question in section.questions
        if (fault := fault_of_answer(question, new_answers[question.key]))
    ]
    if faults:
        raise BadInputError(faults)
    other_answers = {key: text for key, text in row.content.items() if key not in new_answers}
    row.content = other_answers | {key: text for key, text in new_answers.items() if text}
    db.session.flush()
    log("plan.section_saved", actor_id=by, section=section.title)


def send_plan(proposal_id: int, *, note: str, review_on: date, by: int, at: datetime) -> None:
    """Send what was written to a second person; from now on nobody writes in it.

    Raises:
        BadInputError: Something is not answered, the note is empty, or the review date cannot be one.
        ConflictError: It has ended.
        RuleError: Somebody else writes it, it was sent already, or it says exactly what is published.
    """
    row = _lock_own(proposal_id, by)
    faults = [f"Answer “{question.label}”." for question in list_missing(row.content)]
    if not note.strip():
        faults.append("Say what is new, for the person who publishes it.")
    if fault := fault_of_review(review_on, london_day(at)):
        faults.append(fault)
    if faults:
        raise BadInputError(faults)
    current = newest_plan(row.recommendation_id)
    if current is not None and (current.content, current.review_on) == (row.content, review_on):
        raise RuleError(f"Version {current.number} says exactly the same. Nothing was sent.")
    row.note, row.review_on, row.proposed_at = note.strip()[:LONGEST_NOTE], review_on, at
    db.session.flush()
    log("plan.proposed", actor_id=by, number=next_number(current))


def withdraw_plan(proposal_id: int, *, by: int, at: datetime) -> None:
    """End it for its author; the next one begins with what was written.

    Raises:
        ConflictError: It has ended.
        RuleError: Somebody else writes it.
    """
    row = lock_proposal(PlanProposal, proposal_id)
    refuse_withdrawing(row, by)
    end_proposal(row, "withdrawn", by=by, at=at)
    log("plan.withdrawn", actor_id=by)


def list_missing(answers: Mapping[str, str]) -> list[PlanQuestion]:
    """The questions that must be answered and are not, in order."""
    return [each for section in plan_template().sections for each in section.list_missing(answers)]


def fault_of_answer(question: PlanQuestion, answer: str) -> str:
    """Why an answer is refused; "" where it is not."""
    if len(answer) > question.most:
        return f"“{question.label}” has {len(answer):,} characters. Shorten it to {question.most:,} or fewer."
    return ""


def fault_of_review(review_on: date, today: date) -> str:
    """Why a review date is refused; "" where it is not."""
    if not today < review_on <= today + LATEST_REVIEW:
        return "Enter a review date after today and within three years."
    return ""


def next_number(current: PlanVersion | None) -> int:
    """The number of the version after this one."""
    return current.number + 1 if current else 1


def _lock_own(proposal_id: int, by: int) -> PlanProposal:
    row = lock_proposal(PlanProposal, proposal_id)
    if row.proposed_by_id != by:
        raise RuleError("Somebody else writes this version.")
    if row.note:
        raise RuleError("It waits for a second person. Withdraw it to change it.")
    return row


def _first_answers(plan_id: int) -> dict[str, str]:
    current = newest_plan(plan_id)
    ended = select(PlanProposal).where(PlanProposal.recommendation_id == plan_id)
    last = db.session.scalar(ended.order_by(PlanProposal.id.desc()).limit(1))
    known = {question.key for question in plan_template().questions}
    if last is not None and last.ended_as != "published":
        answers = last.content
    elif current is not None:
        answers = current.content
    else:
        shown = shared_content().values
        answers = {each.key: shown[key] for key, each in plan_template().settings.items() if key in shown}
    return {key: text for key, text in answers.items() if key in known}
