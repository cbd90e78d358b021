"""Saving of what a learner decides in a case."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    ColumnElement,
    Date,
    ForeignKey,
    Index,
    Text,
    UniqueConstraint,
    and_,
    bindparam,
    cast,
    func,
    insert,
    select,
)
from sqlalchemy.orm import Mapped, aliased, mapped_column

from portal.domain.catalogue.models import Activity, Lesson, ModuleVersion
from portal.domain.catalogue.version_cache import LessonCase
from portal.domain.item_kinds.base import Answer, AnswerError, Content, FormValues, ItemKind, RubricPart
from portal.domain.people.models import FactNote, PersonName, Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.services import erase_notes, notes_of, write_notes
from portal.domain.people.visibility import is_valid_on
from portal.domain.records.models import Registration
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import Base, BigId, db, read, write_row
from portal.platform.errors import NotFoundError, RuleError

# Tables of case runs and the steps saved in them.


class CaseRun(Base):
    """A learner works once through a lesson that is a case; append-only, and never scored."""

    __tablename__ = "case_run"
    __table_args__ = (UniqueConstraint("registration_id", "lesson_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    registration_id: Mapped[int] = mapped_column(ForeignKey("registration.id"))
    lesson_id: Mapped[int] = mapped_column(ForeignKey("lesson.id"), index=True)
    number: Mapped[int]  # counts from 1 within the registration and lesson


class CaseStep(Base):
    """One saving of the way so far through a case: a new row each time; the last one counts.

    The learner's reasons and texts are notes, so that they can be erased.
    """

    __tablename__ = "case_step"
    __table_args__ = (Index("ix_case_step_run", "run_id", "id"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("case_run.id"))
    choices: Mapped[list[str]] = mapped_column(JSON)  # keys, as the kind of case writes them; never texts
    ends: Mapped[bool]  # the run is over; no later step


class CaseCopy(Base):
    """A learner shows a copy of the texts of a run to the one person they named; append-only.

    The copy itself is notes of this row, so that it can be erased.
    """

    __tablename__ = "case_copy"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("case_run.id"), index=True)
    manager_id: Mapped[int] = mapped_column(
        ForeignKey("person.id"), index=True
    )  # the learner's line manager by the posts of that day, named in the consent


class CaseCopyEnd(Base):
    """A learner takes a copy back; append-only, at most one a copy."""

    __tablename__ = "case_copy_end"

    copy_id: Mapped[int] = mapped_column(ForeignKey("case_copy.id"), primary_key=True)
    recorded_at: Mapped[datetime]


class CaseRubric(Base):
    """The rubric applied to the texts of a run: a new row each time; the last one of each reader counts.

    What was ticked is a note, so that it can be erased with the texts it is about.
    """

    __tablename__ = "case_rubric"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("case_run.id"), index=True)
    copy_id: Mapped[int | None] = mapped_column(
        ForeignKey("case_copy.id")
    )  # read by the manager; None: by the learner


# Shares of people who decided alike, told so that nobody can be singled out. Pure.

GROUP = 10  # people


def count_shares(ways: Sequence[Sequence[str]]) -> dict[str, str]:
    """Return the share of people who took each step, in words such as “about 3 in 10”.

    A step is ``place/choice``. Of each place, only whole groups of ten people who came to it are counted, the
    first to come first: so ten decisions change together, and two looks at the shares never differ by one
    person's. Nor is it said that everybody or nobody decided so. A place to which fewer than ten people came
    has no shares.

    Args:
        ways: The steps of each person, in the order in which they finished.
    """
    counts: dict[str, Counter[str]] = {}
    for place, steps in _steps_by_place(ways).items():
        whole_groups = len(steps) - len(steps) % GROUP
        if whole_groups:
            counts[place] = Counter(steps[:whole_groups])
    return {
        step: _share_words(count, counter.total())
        for counter in counts.values()
        for step, count in counter.items()
    }


def _steps_by_place(ways: Sequence[Sequence[str]]) -> dict[str, list[str]]:
    steps: dict[str, list[str]] = {}
    for way in ways:
        for step in way:
            steps.setdefault(step.partition("/")[0], []).append(step)
    return steps


def _share_words(count: int, total: int) -> str:
    tenths = (20 * count + total) // (2 * total)  # rounded, halves up
    if tenths <= 1:
        return "1 in 10 or fewer"
    return "9 in 10 or more" if tenths >= GROUP - 1 else f"about {tenths} in 10"


# A learner's latest run through a case, and what colleagues decided in it.

MOST_CASES_KEPT = 100  # whose shares a process keeps
MOST_COLLEAGUES = 1_000  # the first people who finished a case, whose decisions are counted


@dataclass(frozen=True, slots=True)
class CaseState:
    """The latest run of a learner through a case, as far as it has come."""

    run_id: int
    registration_id: int
    number: int
    ended: bool
    step_id: int  # of the step that was saved last
    choices: tuple[str, ...]


_LATEST = (
    select(
        CaseRun.id,
        CaseRun.registration_id,
        CaseRun.number,
        CaseStep.ends,
        CaseStep.id,
        CaseStep.choices,
    )
    .join(CaseStep, CaseStep.run_id == CaseRun.id)
    .join(Registration, Registration.id == CaseRun.registration_id)
    .where(Registration.person_id == bindparam("person_id"), CaseRun.lesson_id == bindparam("lesson_id"))
    .order_by(CaseRun.id.desc(), CaseStep.id.desc())
    .limit(1)
)


def latest_run(person_id: int, lesson_id: int) -> CaseState | None:
    """Return the person's latest run through the case; None if there is none. One statement."""
    rows = read(_LATEST, {"person_id": person_id, "lesson_id": lesson_id})
    if not rows:
        return None
    run_id, registration_id, number, ended, step_id, choices = rows[0]
    return CaseState(run_id, registration_id, number, ended, step_id, tuple(choices))


def saved_answer(state: CaseState) -> Answer:
    """Return what was saved last in a run, with its texts. One statement."""
    texts = notes_of(CaseStep.__tablename__, [state.step_id]).get(state.step_id, {})
    return Answer(state.choices, texts)


def order_of_run(case: LessonCase, person_id: int, number: int) -> tuple[str, ...]:
    """Return the order in which a run shows the choices; always the same for the same person and number."""
    keys = case.kind.shufflable_keys(case.content)
    return tuple(sorted(keys, key=lambda key: sha256(f"{person_id} {number} {key}".encode()).digest()))


def step_ids_of(person_id: int) -> list[int]:
    """Return every step that the person saved in any case; the texts are theirs."""
    statement = (
        select(CaseStep.id)
        .join(CaseRun, CaseRun.id == CaseStep.run_id)
        .join(Registration, Registration.id == CaseRun.registration_id)
        .where(Registration.person_id == person_id)
    )
    return list(db.session.scalars(statement))


_THIS, _SAME = aliased(Lesson), aliased(Lesson)
_VERSION, _OWN_VERSION = aliased(ModuleVersion), aliased(ModuleVersion)
# The ends of first runs through these cases in any version of the module, numbered in the order of ending.
_FIRST_ENDS = (
    select(
        _THIS.id.label("lesson_id"),
        Registration.person_id,
        CaseStep.choices,
        func.row_number().over(partition_by=_THIS.id, order_by=CaseStep.id).label("place"),
    )
    .select_from(_THIS)
    .join(_OWN_VERSION, _OWN_VERSION.id == _THIS.module_version_id)
    .join(_VERSION, _VERSION.activity_id == _OWN_VERSION.activity_id)
    .join(_SAME, and_(_SAME.module_version_id == _VERSION.id, _SAME.key == _THIS.key))
    .join(CaseRun, CaseRun.lesson_id == _SAME.id)
    .join(CaseStep, CaseStep.run_id == CaseRun.id)
    .join(Registration, Registration.id == CaseRun.registration_id)
    .where(
        _THIS.id.in_(bindparam("lesson_ids", expanding=True)),
        _SAME.case_kind == _THIS.case_kind,
        cast(_SAME.case_content, Text) == cast(_THIS.case_content, Text),
        CaseRun.number == 1,
        CaseStep.ends,
    )
    .subquery()
)
_FIRST_WAYS = (
    select(_FIRST_ENDS.c.lesson_id, _FIRST_ENDS.c.person_id, _FIRST_ENDS.c.choices)
    .where(_FIRST_ENDS.c.place <= MOST_COLLEAGUES)
    .order_by(_FIRST_ENDS.c.lesson_id, _FIRST_ENDS.c.place)
)


def shares_of_colleagues(lesson_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Return how many of ten people took each step of each case, in words; see ``count_shares``.

    People who finished the same case in another version of the module count too; of each, the first run
    that ended. One statement.
    """
    first_ways: dict[int, dict[int, list[str]]] = {lesson_id: {} for lesson_id in lesson_ids}
    for lesson_id, person_id, choices in read(_FIRST_WAYS, {"lesson_ids": list(lesson_ids)}):
        first_ways[lesson_id].setdefault(person_id, choices)
    return {lesson_id: count_shares(list(ways.values())) for lesson_id, ways in first_ways.items()}


def shares_within_minute(lesson_id: int, published_at: datetime, at: datetime) -> Mapping[str, str]:
    """Return the shares of one case as they were when this process first read them in the minute of ``at``.

    Everybody who finishes a case sees them, and counting them reads up to ``MOST_COLLEAGUES`` ways.

    Args:
        lesson_id: The case.
        published_at: When its version was published: a restored database may use the id for another lesson.
        at: The instant.
    """
    return _shares_in(lesson_id, published_at, at.replace(second=0, microsecond=0))


@lru_cache(maxsize=MOST_CASES_KEPT)
def _shares_in(lesson_id: int, _published_at: datetime, _minute: datetime) -> Mapping[str, str]:
    return shares_of_colleagues([lesson_id])[lesson_id]


LATER = "later"  # the button that saves what is written so far
LONGEST_TEXT = 5_000  # characters

_INSERT_RUN = insert(CaseRun)
_INSERT_STEP = insert(CaseStep)


def begin_run(registration_id: int, lesson_id: int, number: int, at: datetime) -> int:
    """Begin a run through a case; return its id.

    Args:
        registration_id: The learner's, locked by the caller, so that two clicks cannot race.
        lesson_id: The case's lesson.
        number: The run's, one more than that of the run before.
        at: Now.
    """
    row = {"registration_id": registration_id, "lesson_id": lesson_id, "number": number}
    return write_row(_INSERT_RUN, {**row, "recorded_at": at})


def read_step(case: LessonCase, order: Sequence[str], form: FormValues) -> tuple[Answer, bool]:
    """Read the way so far from a submitted form, and whether it ends the case.

    The button “later” takes an incomplete answer too.

    Raises:
        AnswerError: Something is missing, or is not one of the options.
    """
    try:
        answer = case.kind.read_answer(case.content, order, form)
    except AnswerError as error:
        texts = error.typed.texts.values()
        if LATER in form and all(len(text) <= LONGEST_TEXT for text in texts):
            return error.typed, False
        raise
    return answer, LATER not in form and case.kind.is_complete(case.content, answer.choices)


def save_step(run_id: int, saved: CaseState | None, answer: Answer, *, ends: bool, at: datetime) -> None:
    """Save the way so far through a case. Each save is a new row; the last one counts.

    Repeat-safe: an answer equal to the saved one that does not end the run writes nothing.
    """
    if saved and not ends and saved.choices == answer.choices and saved_answer(saved) == answer:
        return
    row = {"run_id": run_id, "choices": list(answer.choices), "ends": ends, "recorded_at": at}
    step_id = write_row(_INSERT_STEP, row)
    if answer.texts:
        write_notes(CaseStep.__tablename__, step_id, answer.texts)


# Copies of the texts of a run that a learner shows to one person, and the rubrics applied to these texts.
#
# Whose copy it is and to whom it is shown decide who reads it; no role or grant does.

TICKS, PHRASES = "ticks", "phrases"  # kinds of note of a rubric: keys, separated by spaces


@dataclass(frozen=True, slots=True)
class PersonInCopy:
    """A person by id and name."""

    id: int
    name: str


@dataclass(frozen=True, slots=True)
class ShownCopy:
    """A copy as the learner and the person to whom it is shown see it."""

    id: int
    run_id: int
    registration_id: int
    lesson_id: int
    version_id: int
    module: str  # its key
    lesson_key: str
    lesson_title: str
    learner: PersonInCopy
    manager: PersonInCopy
    shown_at: datetime
    ended_at: datetime | None

    def is_open(self, at: datetime) -> bool:
        """Whether the manager may read it at this instant: from the consent on, up to its withdrawal."""
        return self.shown_at <= at and (self.ended_at is None or at < self.ended_at)


@dataclass(frozen=True, slots=True)
class AppliedRubric:
    """What one reader found in the texts of a run."""

    ticks: frozenset[str]  # ``part/number`` of each statement that is true; all others are not
    phrases: tuple[int, ...]  # numbers of the phrases chosen as feedback, from 1
    applied_at: datetime


@dataclass(frozen=True, slots=True)
class RubricText:
    """One text beside its model, with the statements of its rubric."""

    part: RubricPart
    text: str  # empty: it was erased
    lines: list[tuple[str, str, bool]]  # ``part/number``, safe HTML, whether it was ticked


def _full_name(person: Any) -> ColumnElement[str]:
    return func.coalesce(person.full_name, "Erased")


_PERSON_ID: BindParameter[int] = bindparam("person_id")
_RUN_ID: BindParameter[int] = bindparam("run_id")
_DAY: Any = bindparam("day", type_=Date())
_LEARNER, _MANAGER = aliased(PersonName), aliased(PersonName)
_COPIES = (
    select(
        CaseCopy.id,
        CaseCopy.run_id,
        CaseRun.registration_id,
        CaseRun.lesson_id,
        Lesson.module_version_id,
        Activity.key,
        Lesson.key,
        Lesson.title,
        Registration.person_id,
        _full_name(_LEARNER),
        CaseCopy.manager_id,
        _full_name(_MANAGER),
        CaseCopy.recorded_at,
        CaseCopyEnd.recorded_at,
    )
    .join(CaseRun, CaseRun.id == CaseCopy.run_id)
    .join(Registration, Registration.id == CaseRun.registration_id)
    .join(Lesson, Lesson.id == CaseRun.lesson_id)
    .join(ModuleVersion, ModuleVersion.id == Lesson.module_version_id)
    .join(Activity, Activity.id == ModuleVersion.activity_id)
    .outerjoin(CaseCopyEnd, CaseCopyEnd.copy_id == CaseCopy.id)
    .outerjoin(_LEARNER, _LEARNER.person_id == Registration.person_id)
    .outerjoin(_MANAGER, _MANAGER.person_id == CaseCopy.manager_id)
)
_NEWEST_COPY_OF_RUN = _COPIES.where(CaseCopy.run_id == _RUN_ID).order_by(CaseCopy.id.desc()).limit(1)
_RUBRICS_OF_RUN = (
    select(CaseRubric.id, CaseRubric.copy_id, CaseRubric.recorded_at)
    .where(CaseRubric.run_id == _RUN_ID)
    .order_by(CaseRubric.id)
)
_LINE_MANAGER = (
    select(PersonName.person_id, _full_name(PersonName))
    .join(Post, Post.line_manager_id == PersonName.person_id)
    .where(Post.person_id == _PERSON_ID, PersonName.person_id != _PERSON_ID)
    .where(is_known_fact(Post), is_valid_on(Post, _DAY))
    .order_by(Post.post_key, Post.valid_from.desc(), Post.id.desc())
    .limit(1)
)


def line_manager_on(person_id: int, day: date) -> PersonInCopy | None:
    """The line manager that the person's posts of a day name, the main post's first; None if none does."""
    rows = read(_LINE_MANAGER, {"person_id": person_id, "day": day})
    return PersonInCopy(*rows[0]) if rows else None


def latest_copy_of(run_id: int) -> ShownCopy | None:
    """The copy of a run that was shown last; None if none was."""
    rows = read(_NEWEST_COPY_OF_RUN, {"run_id": run_id})
    return _build_copy(rows[0]) if rows else None


def copies_shown_by(person_id: int) -> list[ShownCopy]:
    """Every copy that a learner showed, the newest first, taken back or not."""
    return _list_copies(Registration.person_id == person_id)


def copies_shown_to(person_id: int, at: datetime) -> list[ShownCopy]:
    """The copies that somebody may read at this instant, the newest first."""
    return [copy for copy in _list_copies(CaseCopy.manager_id == person_id) if copy.is_open(at)]


def copy_shown_to(person_id: int, copy_id: int, at: datetime) -> ShownCopy:
    """One copy, for the person to whom it is shown, and for nobody else."""
    copy = _find_copy(copy_id, CaseCopy.manager_id == person_id)
    if copy is None or not copy.is_open(at):
        raise NotFoundError("There is no such text, or it is not shown to you.")
    return copy


def own_copy(person_id: int, copy_id: int) -> ShownCopy:
    """One copy, for the learner whose text it is."""
    copy = _find_copy(copy_id, Registration.person_id == person_id)
    if copy is None:
        raise NotFoundError("There is no such text, or it is not yours.")
    return copy


def count_unread_copies(person_id: int) -> int:
    """How many copies are shown to somebody who has not applied the rubric yet. One statement.

    A copy whose texts were erased can no longer be read, and waits for nobody.
    """
    text = select(FactNote.id).where(
        FactNote.fact_table == CaseCopy.__tablename__, FactNote.fact_id == CaseCopy.id
    )
    rubric = select(CaseRubric.id).where(CaseRubric.copy_id == CaseCopy.id)
    ended = select(CaseCopyEnd.copy_id).where(CaseCopyEnd.copy_id == CaseCopy.id)
    statement = select(func.count()).select_from(CaseCopy).where(CaseCopy.manager_id == person_id)
    return db.session.scalar(statement.where(~rubric.exists(), ~ended.exists(), text.exists())) or 0


def texts_of_copy(copy_id: int) -> dict[str, str]:
    """The texts of a copy by part; empty if they were erased."""
    return notes_of(CaseCopy.__tablename__, [copy_id]).get(copy_id, {})


def rubrics_of_run(run_id: int) -> dict[int | None, AppliedRubric]:
    """What was found last in the texts of a run: by copy, and under None by the learner. Two statements.

    What was erased is left out.
    """
    latest = {rubric.copy_id: rubric for rubric in read(_RUBRICS_OF_RUN, {"run_id": run_id})}
    notes = notes_of(CaseRubric.__tablename__, [rubric.id for rubric in latest.values()]) if latest else {}
    return {
        copy_id: AppliedRubric(
            ticks=frozenset(notes[rubric.id].get(TICKS, "").split()),
            phrases=tuple(int(number) for number in notes[rubric.id].get(PHRASES, "").split()),
            applied_at=rubric.recorded_at,
        )
        for copy_id, rubric in latest.items()
        if rubric.id in notes
    }


def statements_of(kind: ItemKind, content: Content) -> list[str]:
    """The ``part/number`` of every statement of a case's rubric."""
    return [
        f"{part.key}/{number}"
        for part in kind.rubric(content)
        for number in range(1, 1 + len(part.statements_html))
    ]


def build_rubric_texts(
    parts: Sequence[RubricPart], texts: Mapping[str, str], applied: AppliedRubric | None
) -> list[RubricText]:
    """Put each text beside its model and what a reader found in it so far."""
    ticks = applied.ticks if applied else ()
    return [
        RubricText(
            part,
            texts.get(part.key, ""),
            [
                (value, html, value in ticks)
                for number, html in enumerate(part.statements_html, 1)
                for value in (f"{part.key}/{number}",)
            ],
        )
        for part in parts
    ]


def copy_ids_of(person_id: int) -> list[int]:
    """Every copy of texts of the person."""
    statement = select(CaseCopy.id).join(CaseRun, CaseRun.id == CaseCopy.run_id)
    return list(db.session.scalars(_of_person(statement, person_id)))


def rubric_ids_of(person_id: int) -> list[int]:
    """Every rubric that was applied to texts of the person."""
    statement = select(CaseRubric.id).join(CaseRun, CaseRun.id == CaseRubric.run_id)
    return list(db.session.scalars(_of_person(statement, person_id)))


def _of_person(statement: Any, person_id: int) -> Any:
    joined = statement.join(Registration, Registration.id == CaseRun.registration_id)
    return joined.where(Registration.person_id == person_id)


def _find_copy(copy_id: int, condition: ColumnElement[bool]) -> ShownCopy | None:
    return next(iter(_list_copies(CaseCopy.id == copy_id, condition)), None)


def _list_copies(*conditions: ColumnElement[bool]) -> list[ShownCopy]:
    statement = _COPIES.where(*conditions).order_by(CaseCopy.id.desc())
    return [_build_copy(row) for row in db.session.execute(statement)]


def _build_copy(row: Any) -> ShownCopy:
    *head, learner_id, learner_name, manager_id, manager_name, shown_at, ended_at = row
    people = PersonInCopy(learner_id, learner_name), PersonInCopy(manager_id, manager_name)
    values: tuple[Any, ...] = (*head, *people, shown_at, ended_at)
    return ShownCopy(*values)


# Showing a copy of one's texts to one's line manager, taking it back, and applying the rubric to texts.

_INSERT_COPY = insert(CaseCopy)
_INSERT_RUBRIC = insert(CaseRubric)


class CopyRefusedError(RuleError):
    """A copy that cannot be shown."""


def show_copy(
    run_id: int, texts: Mapping[str, str], *, learner_id: int, manager_id: int, consents: bool, at: datetime
) -> None:
    """Show a copy of the texts of a run to the learner's line manager. Repeat-safe.

    Args:
        run_id: The run, which has ended. Its registration is locked by the caller.
        texts: What the learner wrote, by part.
        learner_id: Whose text it is.
        manager_id: Whom the consent names; it must be the line manager by the posts of the day ``at``.
        consents: Whether the learner ticked that they agree.
        at: Now.

    Raises:
        CopyRefusedError: Nothing is agreed to, nothing is stored, or the manager is another one today.
    """
    if not consents:
        raise CopyRefusedError("Tick that you agree, or keep your text to yourself.")
    manager = line_manager_on(learner_id, london_day(at))
    if manager is None or manager.id != manager_id:
        raise CopyRefusedError(
            "Your line manager changed since you opened this page. Read whom it names now, then decide again."
        )
    latest = latest_copy_of(run_id)
    if latest is not None and latest.is_open(at):
        return
    if not texts:
        raise CopyRefusedError("Nothing that you wrote is stored, so there is nothing to show.")
    values = {"run_id": run_id, "manager_id": manager_id, "recorded_at": at}
    copy_id = write_row(_INSERT_COPY, values)
    write_notes(CaseCopy.__tablename__, copy_id, texts)
    log("case.copy_shown", actor_id=learner_id, subject_id=learner_id, copy=copy_id, about=manager_id)


def take_copy_back(copy: ShownCopy, *, at: datetime) -> None:
    """End the showing of a copy and erase its texts; what the manager found stays with the learner.

    The registration is locked by the caller. Repeat-safe.
    """
    if copy.ended_at is not None:
        return
    db.session.add(CaseCopyEnd(copy_id=copy.id, recorded_at=at))
    me = copy.learner.id
    erase_notes(CaseCopy.__tablename__, [copy.id], actor_id=me, subject_id=me)
    log("case.copy_taken_back", actor_id=me, subject_id=me, copy=copy.id, about=copy.manager.id)


def apply_own_rubric(run_id: int, ticks: Collection[str], *, at: datetime) -> None:
    """Save what a learner finds in their own texts; as the steps of the run, it is no event of its own."""
    _write_ticks(run_id, None, {TICKS: " ".join(sorted(ticks))}, at)


def apply_rubric_to_copy(
    copy: ShownCopy, ticks: Collection[str], phrases: Collection[int], *, at: datetime
) -> None:
    """Save what a manager finds in a copy, and the phrases that they chose.

    The registration is locked by the caller, and the copy read after it.
    """
    notes = {TICKS: " ".join(sorted(ticks)), PHRASES: " ".join(map(str, sorted(phrases)))}
    _write_ticks(copy.run_id, copy.id, notes, at)
    log("case.rubric_applied", actor_id=copy.manager.id, subject_id=copy.learner.id, copy=copy.id)


def _write_ticks(run_id: int, copy_id: int | None, notes: Mapping[str, str], at: datetime) -> None:
    values = {"run_id": run_id, "copy_id": copy_id, "recorded_at": at}
    write_notes(CaseRubric.__tablename__, write_row(_INSERT_RUBRIC, values), notes)
