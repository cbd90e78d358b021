"""Stores of what people typed: texts of exercises, copies for managers, words on clarity, comments."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from portal.domain.assessment.models import Attempt, Response
from portal.domain.cases.models import CaseCopy, CaseRubric, CaseRun, CaseStep
from portal.domain.clarity.models import ClarityAnswer, ClarityReply, ClarityWords
from portal.domain.decisions.models import Decision, DecisionRequest
from portal.domain.people.models import FactNote
from portal.domain.records.models import Registration
from portal.domain.retention.models import DataAnswer, DataRequest
from portal.domain.retention.stores import DueRows, Limit, Store, notes_of_fact
from portal.platform.db import db

_LEARNER = (Registration.person_id,)
_BY_RUN = (
    (CaseRun, CaseRun.id == CaseStep.run_id),
    (Registration, Registration.id == CaseRun.registration_id),
)
_BY_RUBRIC = (
    (CaseRun, CaseRun.id == CaseRubric.run_id),
    (Registration, Registration.id == CaseRun.registration_id),
)

TEXTS = (
    notes_of_fact(
        "texts of answers",
        Response,
        Response.saved_at,
        _LEARNER,
        (
            (Attempt, Attempt.id == Response.attempt_id),
            (Registration, Registration.id == Attempt.registration_id),
        ),
    ),
    notes_of_fact("texts of cases", CaseStep, CaseStep.recorded_at, _LEARNER, _BY_RUN),
    notes_of_fact(
        "ticks of learners",
        CaseRubric,
        CaseRubric.recorded_at,
        _LEARNER,
        _BY_RUBRIC,
        CaseRubric.copy_id.is_(None),
    ),
)

COPIES = (
    notes_of_fact(
        "texts of copies",
        CaseCopy,
        CaseCopy.recorded_at,
        (Registration.person_id, CaseCopy.manager_id),
        (
            (CaseRun, CaseRun.id == CaseCopy.run_id),
            (Registration, Registration.id == CaseRun.registration_id),
        ),
    ),
    notes_of_fact(
        "ticks of managers",
        CaseRubric,
        CaseRubric.recorded_at,
        (Registration.person_id, CaseCopy.manager_id),
        (*_BY_RUBRIC, (CaseCopy, CaseCopy.id == CaseRubric.copy_id)),
    ),
)


def _due_words(limit: Limit) -> DueRows:
    answer = ClarityAnswer
    source = select().select_from(ClarityWords).join(answer, answer.id == ClarityWords.answer_id)
    source = source.where(answer.answered_at < limit.before_at)
    return DueRows(ClarityWords.answer_id, answer.answered_at, source, (answer.person_id,))


def _remove_words(answer_ids: Sequence[Any]) -> None:
    """Remove the words and the authors' answers to them: neither is understood without the other."""
    for table in (ClarityReply, ClarityWords):
        db.session.execute(delete(table).where(table.answer_id.in_(answer_ids)))


CLARITY = (Store("notes on clarity", _due_words, _remove_words),)

_IS_COMMENT = FactNote.kind == "comment"
_OF_REQUEST = (DecisionRequest.person_id, DecisionRequest.asked_by_id)
_OF_DATA_REQUEST = (DataRequest.person_id,)
REQUESTS = (
    notes_of_fact(
        "comments on requests",
        DecisionRequest,
        Decision.recorded_at,
        _OF_REQUEST,
        ((Decision, Decision.request_id == DecisionRequest.id),),
        _IS_COMMENT,
    ),
    notes_of_fact(
        "comments on decisions",
        Decision,
        Decision.recorded_at,
        _OF_REQUEST,
        ((DecisionRequest, DecisionRequest.id == Decision.request_id),),
        _IS_COMMENT,
    ),
    notes_of_fact(
        "words of requests about data",
        DataRequest,
        DataAnswer.answered_at,
        _OF_DATA_REQUEST,
        ((DataAnswer, DataAnswer.request_id == DataRequest.id),),
    ),
)
