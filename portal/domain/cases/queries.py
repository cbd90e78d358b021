"""A learner's latest run through a case, and what colleagues decided in it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from hashlib import sha256

from sqlalchemy import Text, and_, bindparam, cast, func, select
from sqlalchemy.orm import aliased

from portal.domain.cases.models import CaseRun, CaseStep
from portal.domain.cases.shares import count_shares
from portal.domain.catalogue.models import Lesson, ModuleVersion
from portal.domain.catalogue.version_cache import LessonCase
from portal.domain.item_kinds.base import Answer
from portal.domain.people.notes import notes_of
from portal.domain.records.models import Registration
from portal.platform.db import db, read

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
