"""A learner's latest run through a case, and what colleagues decided in it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, Text, and_, bindparam, cast, func, select
from sqlalchemy.orm import aliased

from portal.domain.cases.models import CaseRun, CaseStep
from portal.domain.cases.shares import count_shares
from portal.domain.catalogue.models import Lesson, ModuleVersion
from portal.domain.catalogue.version_cache import LessonCase
from portal.domain.item_kinds.base import Answer
from portal.domain.people.notes import notes_of
from portal.domain.records.models import Registration
from portal.platform.db import db, read

MOST_COLLEAGUES = 1_000  # the first people who finished a case, whose decisions are counted


@dataclass(frozen=True, slots=True)
class CaseState:
    """The latest run of a learner through a case, as far as it has come."""

    run_id: int
    registration_id: int
    number: int
    ended: bool
    saved_at: datetime
    answer: Answer


_LATEST = (
    select(
        CaseRun.id,
        CaseRun.registration_id,
        CaseRun.number,
        CaseStep.ends,
        CaseStep.recorded_at,
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
    """Return the person's latest run through the case; None if there is none. Two statements at most."""
    rows = read(_LATEST, {"person_id": person_id, "lesson_id": lesson_id})
    if not rows:
        return None
    run_id, registration_id, number, ended, saved_at, step_id, choices = rows[0]
    texts = notes_of(CaseStep.__tablename__, [step_id]).get(step_id, {})
    return CaseState(run_id, registration_id, number, ended, saved_at, Answer(tuple(choices), texts))


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


def shares_of_colleagues(lesson_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """Return how many of ten people took each step of each case, in words; see ``count_shares``.

    People who finished the same case in another version of the module count too; of each, the first run
    that ended. One statement.
    """
    steps = _first_ends(lesson_ids).subquery()
    rows = db.session.execute(
        select(steps.c.lesson_id, steps.c.person_id, steps.c.choices)
        .where(steps.c.place <= MOST_COLLEAGUES)
        .order_by(steps.c.lesson_id, steps.c.place)
    )
    first_ways: dict[int, dict[int, list[str]]] = {lesson_id: {} for lesson_id in lesson_ids}
    for lesson_id, person_id, choices in rows:
        first_ways[lesson_id].setdefault(person_id, choices)
    return {lesson_id: count_shares(list(ways.values())) for lesson_id, ways in first_ways.items()}


def _first_ends(lesson_ids: Collection[int]) -> Select[Any]:
    """The ends of first runs through these cases in any version, numbered in the order of ending."""
    this, same = aliased(Lesson), aliased(Lesson)
    version, own_version = aliased(ModuleVersion), aliased(ModuleVersion)
    place = func.row_number().over(partition_by=this.id, order_by=CaseStep.id)
    return (
        select(this.id.label("lesson_id"), Registration.person_id, CaseStep.choices, place.label("place"))
        .select_from(this)
        .join(own_version, own_version.id == this.module_version_id)
        .join(version, version.activity_id == own_version.activity_id)
        .join(same, and_(same.module_version_id == version.id, same.key == this.key))
        .join(CaseRun, CaseRun.lesson_id == same.id)
        .join(CaseStep, CaseStep.run_id == CaseRun.id)
        .join(Registration, Registration.id == CaseRun.registration_id)
        .where(this.id.in_(lesson_ids), same.case_kind == this.case_kind)
        .where(cast(same.case_content, Text) == cast(this.case_content, Text))
        .where(CaseRun.number == 1, CaseStep.ends)
    )
