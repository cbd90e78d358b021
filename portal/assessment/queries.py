"""Reading attempts: as the learner meets them, and as they were marked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select

from portal.assessment.models import Attempt, Response, Submission
from portal.catalogue.models import Item, ModuleVersion
from portal.catalogue.published import PublishedVersion
from portal.db import db
from portal.errors import NotFoundError
from portal.kinds import kinds
from portal.kinds.kind import Answer, Kind
from portal.people.notes import notes_of
from portal.records.models import Registration


@dataclass(frozen=True, slots=True)
class Question:
    """A drawn item with the learner's latest response."""

    number: int  # counts from 1
    item: Item
    order: tuple[str, ...]  # what this attempt put in random order, as it shows it
    answer: Answer

    @property
    def kind(self) -> Kind:
        """How an item of this kind is asked, marked and read back."""
        return kinds()[self.item.kind]

    @property
    def begun(self) -> bool:
        """Whether a response was saved."""
        return bool(self.answer.choices)

    @property
    def answered(self) -> bool:
        """Whether nothing is left to be answered."""
        return self.begun and self.kind.complete(self.item.content, self.answer.choices)

    @property
    def shown(self) -> Any:
        """What the kind's templates show: the item in this attempt's order, with the response."""
        return self.kind.shown(self.item.content, self.order, self.answer)

    @property
    def summary(self) -> list[str]:
        """The response in a line or a few, as safe HTML."""
        return self.kind.summary(self.item.content, self.order, self.answer)


@dataclass(frozen=True, slots=True)
class Paper:
    """An attempt as it is worked through: its questions in their order."""

    attempt: Attempt
    registration: Registration
    version: ModuleVersion
    questions: tuple[Question, ...]
    submission: Submission | None

    @property
    def unanswered(self) -> list[int]:
        """Numbers of the questions without a response."""
        return [question.number for question in self.questions if not question.answered]

    def question(self, number: int) -> Question:
        """The question of this number.

        Raises:
            NotFoundError: There is none.
        """
        if not 1 <= number <= len(self.questions):
            raise NotFoundError("There is no such question.")
        return self.questions[number - 1]


def own_attempt(attempt_id: UUID, person_id: int, *, lock: bool = False) -> Attempt:
    """An attempt of this person; with ``lock`` no one else writes in it before this transaction ends.

    Raises:
        NotFoundError: There is none, or it is someone else's.
    """
    statement = (
        select(Attempt)
        .join(Registration, Registration.id == Attempt.registration_id)
        .where(Attempt.id == attempt_id, Registration.person_id == person_id)
    )
    if lock:
        statement = statement.with_for_update(of=Attempt).execution_options(populate_existing=True)
    attempt = db.session.scalar(statement)
    if attempt is None:
        raise NotFoundError("There is no such attempt.")
    return attempt


def submission_of(attempt_id: UUID) -> Submission | None:
    """The marked end of an attempt, read afresh."""
    return db.session.scalar(
        select(Submission)
        .where(Submission.attempt_id == attempt_id)
        .execution_options(populate_existing=True)
    )


def paper(attempt: Attempt) -> Paper:
    """The attempt with its questions, choices and latest responses."""
    registration = db.session.get_one(Registration, attempt.registration_id)
    version = db.session.get_one(ModuleVersion, registration.module_version_id)
    ids = [drawn["item_id"] for drawn in attempt.drawn]
    items = {item.id: item for item in db.session.scalars(select(Item).where(Item.id.in_(ids)))}
    answers = _answers(attempt.id, items)
    questions = tuple(
        Question(
            number,
            items[drawn["item_id"]],
            tuple(drawn["order"]),
            answers.get(drawn["item_id"], Answer()),
        )
        for number, drawn in enumerate(attempt.drawn, start=1)
    )
    return Paper(attempt, registration, version, questions, submission_of(attempt.id))


def _answers(attempt_id: UUID, items: dict[int, Item]) -> dict[int, Answer]:
    """The last response for each item; with its texts, in a second statement, where learners write some."""
    rows = db.session.execute(
        select(Response.id, Response.item_id, Response.choices)
        .where(Response.attempt_id == attempt_id)
        .order_by(Response.id)
    )
    last = {item_id: (response_id, choices) for response_id, item_id, choices in rows}
    written = [held[0] for item_id, held in last.items() if kinds()[items[item_id].kind].writes]
    texts = notes_of(Response.__tablename__, written) if written else {}
    return {
        item_id: Answer(tuple(choices), texts.get(response_id, {}))
        for item_id, (response_id, choices) in last.items()
    }


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt and how it ended, if it did."""

    attempt: Attempt
    submission: Submission | None


def runs_of(registration_id: int) -> list[Run]:
    """Every attempt under a registration, the first begun first."""
    rows = db.session.execute(
        select(Attempt, Submission)
        .outerjoin(Submission, Submission.attempt_id == Attempt.id)
        .where(Attempt.registration_id == registration_id)
        .order_by(Attempt.number)
        .execution_options(populate_existing=True)
    )
    return [Run(attempt, submission) for attempt, submission in rows]


class Begun(NamedTuple):
    """The attempts that a person began under a registration."""

    open_attempt: UUID | None  # the one under way
    attempts: int
    ended_at: datetime | None  # when the latest was submitted


NONE_BEGUN = Begun(None, 0, None)
_BEGUN = (
    select(Attempt.registration_id, Attempt.id, Submission.submitted_at)
    .outerjoin(Submission, Submission.attempt_id == Attempt.id)
    .where(Attempt.registration_id.in_(bindparam("registrations", expanding=True)))
)


def begun_attempts(registration_ids: list[int]) -> dict[int, Begun]:
    """The attempts begun, by registration that has any. One statement."""
    found: dict[int, Begun] = {}
    for registration_id, attempt_id, submitted in db.session.execute(
        _BEGUN, {"registrations": registration_ids}
    ):
        earlier = found.get(registration_id, NONE_BEGUN)
        under_way = earlier.open_attempt if submitted else attempt_id
        ends = [end for end in (earlier.ended_at, submitted) if end]
        found[registration_id] = Begun(under_way, earlier.attempts + 1, max(ends, default=None))
    return found


def has_open_attempt(person_id: int, activity_id: int) -> bool:
    """Whether the person is being assessed in this module at present."""
    found: int | None = db.session.scalar(
        select(func.count())
        .select_from(Attempt)
        .join(Registration, Registration.id == Attempt.registration_id)
        .outerjoin(Submission, Submission.attempt_id == Attempt.id)
        .where(
            Registration.person_id == person_id,
            Registration.activity_id == activity_id,
            Submission.attempt_id.is_(None),
        )
    )
    return bool(found)


def opens_at(version: ModuleVersion | PublishedVersion, runs: list[Run]) -> datetime | None:
    """From when the next attempt may begin, where the module makes one wait after a fail."""
    ends = [run.submission.submitted_at for run in runs if run.submission is not None]
    return opens_after(version, max(ends, default=None))


def opens_after(version: ModuleVersion | PublishedVersion, ended_at: datetime | None) -> datetime | None:
    """As ``opens_at``, given when the latest attempt was submitted."""
    if ended_at is None or not version.wait_minutes:
        return None
    return ended_at + timedelta(minutes=version.wait_minutes)


def attempts_left(version: ModuleVersion | PublishedVersion, runs: list[Run]) -> int | None:
    """How many more attempts may begin; None where the module sets no limit."""
    return max(0, version.attempts - len(runs)) if version.attempts else None


def missed_outcomes(sheet: Paper) -> list[dict[str, Any]]:
    """Outcomes in which a mark was lost, in the module's order, each with its lessons; never which item."""
    if sheet.submission is None:
        return []
    marks = sheet.submission.marks
    lost = {q.item.outcome for q in sheet.questions if marks[str(q.item.id)] != "1.0000"}
    return [
        {
            "text": outcome["text"],
            "lessons": [lesson for lesson in sheet.version.lessons if outcome["key"] in lesson.outcomes],
        }
        for outcome in sheet.version.outcomes
        if outcome["key"] in lost
    ]
