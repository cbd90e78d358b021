"""Copies of the texts of a run that a learner shows to one person, and the rubrics applied to these texts.

Whose copy it is and to whom it is shown decide who reads it; no role or grant does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Date, bindparam, func, select
from sqlalchemy.orm import aliased

from portal.domain.cases.models import CaseCopy, CaseCopyEnd, CaseRubric, CaseRun
from portal.domain.catalogue.models import Activity, Lesson, ModuleVersion
from portal.domain.item_kinds.base import Content, ItemKind, RubricPart
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import FactNote, PersonName, Post
from portal.domain.people.notes import notes_of
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.records.models import Registration
from portal.platform.db import db, read
from portal.platform.errors import NotFoundError

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
    """One copy, for the person to whom it is shown, and for nobody else.

    Raises:
        NotFoundError: There is none, it is shown to somebody else, or it was taken back.
    """
    copy = _find_copy(copy_id, CaseCopy.manager_id == person_id)
    if copy is None or not copy.is_open(at):
        raise NotFoundError("There is no such text, or it is not shown to you.")
    return copy


def own_copy(person_id: int, copy_id: int) -> ShownCopy:
    """One copy, for the learner whose text it is.

    Raises:
        NotFoundError: There is none, or it is somebody else's.
    """
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
