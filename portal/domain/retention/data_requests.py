"""Requests of people to correct or erase data about them: noting one, answering it, and lists."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from portal.domain.accounts.models import HeldForm
from portal.domain.assessment import text_erasure
from portal.domain.assessment.text_erasure import WrittenTextCount
from portal.domain.clarity.services import erase_clarity
from portal.domain.people.models import PersonName
from portal.domain.people.notes import notes_of, write_notes
from portal.domain.people.roster.rows import find_name_faults
from portal.domain.people.services import NAME_PARTS, PersonNames, correct_many_names, list_names_of
from portal.domain.people.staff_numbers import fold_staff_number
from portal.domain.recall.services import erase_answers
from portal.domain.retention.errors import AnsweredError, HeldError
from portal.domain.retention.holds import is_person_held, take_turn
from portal.domain.retention.models import DataAnswer, DataRequest
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.months import add_months

CORRECTION, ERASURE = "correction", "erasure"
ERASED_CLASSES = ("texts", "copies", "clarity")  # a hold on one of them stops an erasure
MONTHS = 1  # to answer in
_request, _answer = DataRequest, DataAnswer


@dataclass(frozen=True, slots=True)
class DataRequestRow:
    """One request, as far as it has come."""

    id: int
    uuid: UUID
    kind: str
    person_id: int
    person: str
    staff_number: str | None
    received_on: date
    due_on: date
    noted_by: str
    noted_at: datetime
    outcome: str | None
    answered_by: str | None
    answered_at: datetime | None
    counts: dict[str, int] | None
    reason: str = ""  # what the person asks
    answer: str = ""


def answer_due_on(received_on: date) -> date:
    """The last day to answer a request: the corresponding day of the next month, or that month's last day.

    >>> answer_due_on(date(2026, 1, 31)), answer_due_on(date(2026, 9, 3))
    (datetime.date(2026, 2, 28), datetime.date(2026, 10, 3))
    """
    return add_months(received_on, MONTHS)


def note_request(kind: str, person_id: int, received_on: date, reason: str, *, by: int, at: datetime) -> UUID:
    """Note what somebody asks about their data; asking the same again while it is open is allowed.

    Args:
        kind: CORRECTION or ERASURE.
        person_id: Whose data.
        received_on: The day on which the force received it.
        reason: What is asked.
        by: Who notes it; the person themselves, or who received it.
        at: Now.

    Raises:
        RuleError: It does not say what is asked, or was received in the future.
    """
    if not reason.strip():
        raise RuleError("Enter what is asked")
    if received_on > london_day(at):
        raise RuleError("The day on which it was received must not be in the future")
    request = DataRequest(
        kind=kind,
        person_id=person_id,
        received_on=received_on,
        due_on=answer_due_on(received_on),
        noted_by_id=by,
        noted_at=at,
    )
    db.session.add(request)
    db.session.flush()
    write_notes(_request.__tablename__, request.id, {"reason": reason.strip()})
    log("data.request_noted", actor_id=by, subject_id=person_id, kind=kind, until=request.due_on.isoformat())
    return request.uuid


def answer_correction(uuid: UUID, names: PersonNames | None, answer: str, *, by: int, at: datetime) -> None:
    """Answer a request to correct data as done.

    Args:
        uuid: Of the request.
        names: How the person is called from now on; None if what was wrong is corrected elsewhere.
        answer: What was done.
        by: Who answers.
        at: Now.

    Raises:
        AnsweredError: It was answered.
        RuleError: There is no answer, nothing would change, no roster could say so, or two people would
            share a number or address.
    """
    row = _get_open(uuid, CORRECTION)
    _require_answer(answer)
    if names is not None:
        number, email = fold_staff_number(names.staff_number), names.email.lower() if names.email else None
        names = replace(names, person_id=row.person_id, staff_number=number, email=email)
        parts = {part: getattr(names, part) or "" for part in NAME_PARTS}
        if faults := find_name_faults(parts):
            raise RuleError(" ".join(faults))
        if not correct_many_names([names], by=by, at=at):
            raise RuleError("These are the names, number and address that the portal has already")
    _record_answer(row, "done", answer, {}, by, at)


def erase_data(uuid: UUID, answer: str, *, by: int, at: datetime) -> dict[str, int]:
    """Erase all that the person typed, and their recall answers; answer the request as done.

    Answers that were chosen, marks, passes and statuses stay. Notes on lessons and recall answers are counted
    for nobody: how much somebody wrote or practised is theirs alone.

    Returns:
        How many texts of exercises were erased.

    Raises:
        AnsweredError: It was answered.
        HeldError: A hold covers the person, or what would be erased.
        RuleError: There is no answer.
    """
    take_turn()
    row = _get_open(uuid, ERASURE)
    _require_answer(answer)
    if is_person_held(row.person_id, ERASED_CLASSES):
        raise HeldError
    counts = {"texts of exercises": text_erasure.erase_texts(row.person_id, by=by).texts}
    erase_clarity([row.person_id])
    erase_answers([row.person_id])
    db.session.execute(delete(HeldForm).where(HeldForm.person_id == row.person_id))
    _record_answer(row, "done", answer, counts, by, at)
    return counts


def erase_texts(person_id: int) -> WrittenTextCount:
    """Erase what the person typed in exercises, without a request; returns how many texts. Repeat-safe.

    Raises:
        HeldError: A hold covers the person, or what would be erased.
    """
    take_turn()
    if is_person_held(person_id, ERASED_CLASSES):
        raise HeldError
    return text_erasure.erase_texts(person_id, by=None)


def refuse_request(uuid: UUID, answer: str, *, by: int, at: datetime) -> None:
    """Refuse a request; ``answer`` says why.

    Raises:
        AnsweredError: It was answered.
        RuleError: There is no reason.
    """
    row = _get_open(uuid)
    if not answer.strip():
        raise RuleError("Enter why it is refused")
    _record_answer(row, "refused", answer, {}, by, at)


def _require_answer(answer: str) -> None:
    if not answer.strip():
        raise RuleError("Enter what was done")


def _get_open(uuid: UUID, kind: str = "") -> DataRequestRow:
    row = get_request(uuid)
    if row.outcome is not None:
        raise AnsweredError
    if kind and row.kind != kind:
        raise NotFoundError("There is no such request.")
    return row


def _record_answer(
    row: DataRequestRow, outcome: str, answer: str, counts: dict[str, int], by: int, at: datetime
) -> None:
    values = {"outcome": outcome, "counts": counts, "answered_by_id": by, "answered_at": at}
    try:
        with db.session.begin_nested():
            db.session.add(DataAnswer(request_id=row.id, **values))
    except IntegrityError:
        raise AnsweredError from None
    write_notes(_request.__tablename__, row.id, {"answer": answer.strip()})
    log(f"data.request_{outcome}", actor_id=by, subject_id=row.person_id, kind=row.kind)


def current_names(person_id: int) -> PersonNames | None:
    """How the person is called now; None if their name is erased."""
    return next(iter(list_names_of([person_id])), None)


def list_requests(
    offset: int, limit: int, *, of: int | None = None, is_open: bool = False
) -> list[DataRequestRow]:
    """Requests: those without an answer first, the earliest due first. Two statements.

    Args:
        offset: How many to leave out.
        limit: At most so many.
        of: Only those of this person.
        is_open: Only those without an answer.
    """
    statement = _select_requests().where(true() if of is None else _request.person_id == of)
    statement = statement.where(_answer.outcome.is_(None) if is_open else true())
    statement = statement.order_by(_answer.outcome.is_not(None), _request.due_on, _request.id)
    rows = db.session.execute(statement.offset(offset).limit(limit)).all()
    texts = notes_of(_request.__tablename__, [row.id for row in rows])
    return [_request_row(row, texts.get(row.id, {})) for row in rows]


def count_requests(*, is_open: bool = False) -> int:
    """How many requests there are; ``is_open``: without an answer."""
    statement = select(func.count()).select_from(_request)
    statement = statement.outerjoin(_answer, _answer.request_id == _request.id)
    return db.session.scalar(statement.where(_answer.outcome.is_(None) if is_open else true())) or 0


def get_request(uuid: UUID) -> DataRequestRow:
    """One request with its texts.

    Raises:
        NotFoundError: There is none.
    """
    row = db.session.execute(_select_requests().where(_request.uuid == uuid)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such request.")
    return _request_row(row, notes_of(_request.__tablename__, [row.id]).get(row.id, {}))


def _select_requests() -> Any:
    person, noter, answerer = aliased(PersonName), aliased(PersonName), aliased(PersonName)
    statement = select(
        _request.id, _request.uuid, _request.kind, _request.person_id, person.full_name,
        person.staff_number, _request.received_on, _request.due_on, noter.full_name, _request.noted_at,
        _answer.outcome, answerer.full_name, _answer.answered_at, _answer.counts,
    ).outerjoin(_answer, _answer.request_id == _request.id)  # fmt: skip
    statement = statement.outerjoin(person, person.person_id == _request.person_id)
    statement = statement.outerjoin(noter, noter.person_id == _request.noted_by_id)
    return statement.outerjoin(answerer, answerer.person_id == _answer.answered_by_id)


def _request_row(row: Row[Any], texts: dict[str, str]) -> DataRequestRow:
    values: list[Any] = [*row, texts.get("reason", ""), texts.get("answer", "")]
    values[4], values[8] = values[4] or "Erased", values[8] or "Erased"
    return DataRequestRow(*values)
