"""Sets periods; asks for disposals, grants, refuses and certifies them. Each is audited."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from portal.domain.accounts.models import HeldForm
from portal.domain.assessment import services
from portal.domain.assessment.services import WrittenTextCount
from portal.domain.decisions.models import DecidedAlreadyError, NotYoursError, SecondPersonError
from portal.domain.people.models import PersonName
from portal.domain.people.roster_plan import find_name_faults
from portal.domain.people.services import (
    NAME_PARTS,
    PersonNames,
    correct_many_names,
    list_names_of,
    notes_of,
    write_notes,
)
from portal.domain.people.staff_numbers import fold_staff_number
from portal.domain.retention import queries
from portal.domain.retention.classes import LONGEST, class_of_key, newest_due_day, period_words
from portal.domain.retention.errors import (
    AnsweredError,
    HeldError,
    LongerPeriodError,
    NothingDueError,
    UnderWayError,
)
from portal.domain.retention.models import (
    DataAnswer,
    DataRequest,
    DisposalCertificate,
    DisposalDecision,
    DisposalRequest,
    DisposalSlice,
    RetentionPeriod,
)
from portal.domain.retention.queries import DisposalRow, count_due, list_due_keys, preview_class, stores_of
from portal.domain.retention.stores import (
    Limit,
    Store,
    erase_for_good,
    is_person_held,
    list_own_data,
    list_unheld,
    take_turn,
)
from portal.platform import clock
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import db, transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.jobs.registry import Arguments, JobProgress, Task
from portal.platform.jobs.services import find_unended_job, start_job
from portal.platform.months import add_months

JOB = "disposal"
MADE_LONGER = "The period was made longer before the disposal ended. What was left by then stays."


def set_period(key: str, months: int, reason: str, *, by: int, at: datetime) -> None:
    """Keep a class for so many months from now on; the same period again changes nothing."""
    row = class_of_key(key)
    if not row.least <= months <= LONGEST:
        raise RuleError(f"Enter a number of months from {row.least} to {LONGEST:,}")
    _require_reason(reason)
    take_turn()
    if months == queries.months_of(key):
        return
    period = RetentionPeriod(class_key=key, months=months, set_by_id=by, set_at=at)
    db.session.add(period)
    db.session.flush()
    write_notes(RetentionPeriod.__tablename__, period.id, {"reason": reason.strip()})
    log("retention.period_set", actor_id=by, kept_class=row.title, period=period_words(months))


def ask_disposal(key: str, reason: str, *, by: int, at: datetime) -> UUID:
    """Ask for the disposal of all that is due of a class today.

    Raises:
        NothingDueError: Nothing is.
        UnderWayError: Another disposal of the class waits or runs.
        RuleError: There is no reason.
    """
    row = class_of_key(key)
    _require_reason(reason)
    take_turn()
    if queries.find_open_disposal(key):
        raise UnderWayError
    months = queries.months_of(key)
    preview = preview_class(key, months, london_day(at))
    if not preview.rows or preview.oldest_on is None:
        raise NothingDueError
    request = DisposalRequest(
        class_key=key,
        months=months,
        through_on=preview.limit.through_on,
        before_at=preview.limit.before_at,
        rows=preview.rows,
        held=preview.held,
        oldest_on=preview.oldest_on,
        asked_by_id=by,
        asked_at=at,
    )
    db.session.add(request)
    db.session.flush()
    write_notes(DisposalRequest.__tablename__, request.id, {"reason": reason.strip()})
    log("retention.disposal_asked", actor_id=by, kept_class=row.title, rows=preview.rows)
    return request.uuid


def grant_disposal(uuid: UUID, *, by: int, at: datetime) -> None:
    """Grant a disposal that somebody else asked for, and start the job that carries it out.

    Raises:
        DecidedAlreadyError: It was answered.
        SecondPersonError: The same person asked for it.
        LongerPeriodError: The class is kept longer since then.
    """
    row = _get_undecided(uuid)
    if row.asked_by_id == by:
        raise SecondPersonError
    refuse_longer_period(row, at)
    job = start_job(JOB, {"disposal": str(uuid)}, by=by, at=at)
    _decide(row, "granted", by, at, job)


def refuse_disposal(uuid: UUID, reason: str, *, by: int, at: datetime) -> None:
    """Refuse a disposal.

    Raises:
        DecidedAlreadyError: It was answered.
        RuleError: There is no reason.
    """
    row = _get_undecided(uuid)
    _require_reason(reason)
    _decide(row, "refused", by, at)
    write_notes(DisposalDecision.__tablename__, row.id, {"reason": reason.strip()})


def withdraw_disposal(uuid: UUID, *, by: int, at: datetime) -> None:
    """Withdraw one's own request.

    Raises:
        DecidedAlreadyError: It was answered.
        NotYoursError: Somebody else asked.
    """
    row = _get_undecided(uuid)
    if row.asked_by_id != by:
        raise NotYoursError
    _decide(row, "withdrawn", by, at)


def resume_disposal(uuid: UUID, *, by: int, at: datetime) -> None:
    """Start another job for a granted disposal whose job failed, was cancelled or is not kept any more."""
    take_turn()
    if queries.get_disposal(uuid).state != queries.RUNNING or find_unended_job(JOB):
        raise ConflictError(
            "This disposal is done, or a job of disposals waits or runs. Nothing was started."
        )
    start_job(JOB, {"disposal": str(uuid)}, by=by, at=at)


def certify_disposal(row: DisposalRow, at: datetime) -> list[str]:
    """Write the certificate of a disposal of which no row is left but those that are to stay.

    These are rows under a hold, and all rows if the period is longer by now.

    Returns:
        What was removed and what is left, in sentences.
    """
    counts, began_at = queries.sum_slices(row.id)
    held = count_due(row.class_key, Limit(row.through_on)).held
    about = row.kept_class
    ended_early = MADE_LONGER if is_longer_kept(row, at) else ""
    certificate = DisposalCertificate(
        request_id=row.id,
        began_at=began_at or at,
        ended_at=at,
        rows=sum(counts.values()),
        held=held,
        counts=counts,
        words={
            "title": about.title,
            "goes": about.goes,
            "stays": about.stays,
            "runs_from": about.runs_from,
            "reason": queries.list_periods()[row.class_key].reason,
            **({"ended_early": ended_early} if ended_early else {}),
        },
    )
    db.session.add(certificate)
    log(
        "retention.disposed",
        actor_id=None,
        kept_class=about.title,
        rows=certificate.rows,
        held=held,
        disposal=str(row.uuid),
    )
    sentences = [f"{rows:,} {name} removed." for name, rows in counts.items()]
    return [*sentences, ended_early] if ended_early else sentences


def is_longer_kept(row: DisposalRow, at: datetime) -> bool:
    """Whether rows of a disposal are not due under the period of now, which is longer than the one then."""
    return row.through_on > newest_due_day(queries.months_of(row.class_key), london_day(at))


def refuse_longer_period(row: DisposalRow, at: datetime) -> None:
    """Raise ``LongerPeriodError`` if rows would go that are not due under the period of now."""
    if is_longer_kept(row, at):
        raise LongerPeriodError


def _get_undecided(uuid: UUID) -> DisposalRow:
    take_turn()
    row = queries.get_disposal(uuid)
    if row.outcome is not None and row.decided_at is not None:
        raise DecidedAlreadyError(row.outcome, row.decided_by or "Erased", row.decided_at)
    return row


def _decide(row: DisposalRow, outcome: str, by: int, at: datetime, job: UUID | None = None) -> None:
    decision = DisposalDecision(
        request_id=row.id, outcome=outcome, decided_by_id=by, decided_at=at, job_reference=job
    )
    try:
        with db.session.begin_nested():
            db.session.add(decision)
    except IntegrityError:
        raise ConflictError("This request was answered just now. Nothing was changed.") from None
    log(f"retention.disposal_{outcome}", actor_id=by, kept_class=row.kept_class.title)


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise RuleError("Enter a reason")


# Requests of people to correct or erase data about them: noting one, answering it, and lists.

CORRECTION, ERASURE = "correction", "erasure"
_ERASED_CLASSES = ("texts", "copies")  # of the core
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


@cache
def list_erased_classes() -> tuple[str, ...]:
    """The classes that an erasure reaches: a hold on one of them stops it."""
    return (*_ERASED_CLASSES, *(own.kept_class for _, own in list_own_data() if own.kept_class))


def erase_own_data(people: Collection[int], *, spare_held: bool = False) -> None:
    """Erase what these people gave for themselves alone, in every feature, on or off. Repeat-safe.

    Args:
        people: Whose.
        spare_held: Leave out whomever a hold covers.
    """
    for feature, own in list_own_data():
        classes = (own.kept_class,) if own.kept_class else ()
        feature.load(own.erase)(list_unheld(people, classes) if spare_held else people)


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
    if is_person_held(row.person_id, list_erased_classes()):
        raise HeldError
    counts = {"texts of exercises": services.erase_texts(row.person_id, by=by).texts}
    erase_own_data([row.person_id])
    db.session.execute(delete(HeldForm).where(HeldForm.person_id == row.person_id))
    _record_answer(row, "done", answer, counts, by, at)
    return counts


def erase_texts(person_id: int) -> WrittenTextCount:
    """Erase what the person typed in exercises, without a request; returns how many texts. Repeat-safe.

    Raises:
        HeldError: A hold covers the person, or what would be erased.
    """
    take_turn()
    if is_person_held(person_id, list_erased_classes()):
        raise HeldError
    return services.erase_texts(person_id, by=None)


def refuse_request(uuid: UUID, answer: str, *, by: int, at: datetime) -> None:
    """Refuse a request; ``answer`` says why.

    Raises:
        AnsweredError: It was answered.
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
    """One request with its texts."""
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


# The job that carries out a granted disposal: short transactions, each of a few hundred rows.

NOT_UNDER_WAY = "This disposal was not approved, or is done already."
SLICE = 200  # rows in one transaction: a fraction of a second of the write lock


def dispose(progress: JobProgress, arguments: Arguments) -> dict[str, Any]:
    """Remove what a granted disposal covers, then write its certificate with the end of the job.

    Cut off, it goes on where it was: what is removed is counted in the transaction that removes it. A hold
    that is placed meanwhile counts from the next slice on, and so does a period made longer, which ends it.
    """
    row = queries.get_disposal(UUID(arguments["disposal"]))
    if row.state != queries.RUNNING:
        raise RuleError(NOT_UNDER_WAY)
    counts, _ = queries.sum_slices(row.id)
    done = sum(counts.values())
    for store in stores_of(row.class_key):
        last, removed = None, 0
        while keys := _remove_slice(row, store, last):
            last, removed = keys[-1], removed + len(keys)
            progress.report_progress(
                done + removed, max(row.rows, done + removed + 1), f"Removing {store.name}"
            )
        done += removed
    with transaction():
        take_turn()
        result = {"said": certify_disposal(row, clock.now())}
        progress.conclude_job(result)
    return result


def _remove_slice(row: DisposalRow, store: Store, last: Any) -> Sequence[Any]:
    """Remove some due rows of a store that no hold keeps, beyond the last key; their keys, in order.

    So rows under a hold are passed once, not at every step. None go if the class is kept longer by now.
    """
    with transaction():
        take_turn()
        if queries.find_open_disposal(row.class_key) != row.uuid:
            raise RuleError(NOT_UNDER_WAY)
        if is_longer_kept(row, clock.now()):
            return []
        keys = list_due_keys(row.class_key, store, Limit(row.through_on), SLICE, beyond=last)
        if keys:
            erase_for_good()
            store.remove(keys)
            step = DisposalSlice(request_id=row.id, disposed_at=clock.now(), counts={store.name: len(keys)})
            db.session.add(step)
        return keys


def _page_address(arguments: Arguments) -> str:
    return f"/retention/disposals/{arguments['disposal']}"


TASKS = (Task(JOB, "Disposal", dispose, page=_page_address, low_priority=True),)
