"""The texts of a case beside their models: a learner’s own ticks, and a copy shown to their line manager."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from portal.domain.cases import copies, copy_services
from portal.domain.cases.copies import PersonInCopy, RubricText, ShownCopy
from portal.domain.cases.queries import CaseState, saved_answer
from portal.domain.catalogue.version_cache import LessonCase, published_version, version_key
from portal.domain.item_kinds.base import FormValues, single_value
from portal.domain.learning import queries
from portal.domain.learning.case_lessons import CaseLesson, load_case
from portal.domain.records import queries as registrations
from portal.platform.clock import london_day
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class Debrief:
    """What a learner sees below their texts: ticks of both readers, and to whom a copy is or can be shown."""

    ticks: Collection[str] | None  # the learner's own; None: not said yet
    manager_ticks: Collection[str] | None  # of the copy that was shown last
    phrases: Sequence[str]  # that the manager chose: safe HTML
    copy: ShownCopy | None  # shown last, taken back or not
    is_shown: bool  # now
    manager: PersonInCopy | None  # to whom a copy could be shown today; None: nobody, or one is shown already


@dataclass(frozen=True, slots=True)
class CopyReading:
    """A copy as the person to whom it is shown reads it."""

    copy: ShownCopy
    case: LessonCase
    texts: list[RubricText]
    phrases: list[tuple[int, str, bool]]  # number, safe HTML, whether it was chosen


def load_debrief(person_id: int, case: CaseLesson, at: datetime) -> Debrief | None:
    """Load it for a run that has ended; None for any other, and for a case without a rubric."""
    if case.state is None or not case.ended or not case.case.kind.rubric(case.case.content):
        return None
    rubrics, copy = copies.rubrics_of_run(case.state.run_id), copies.latest_copy_of(case.state.run_id)
    own, manager = rubrics.get(None), rubrics.get(copy.id) if copy else None
    is_shown = copy is not None and copy.is_open(at)
    phrases = case.case.content.get("phrases_html", [])
    return Debrief(
        ticks=own.ticks if own else None,
        manager_ticks=manager.ticks if manager else None,
        phrases=[phrases[number - 1] for number in manager.phrases] if manager else [],
        copy=copy,
        is_shown=is_shown,
        manager=None if is_shown else copies.line_manager_on(person_id, london_day(at)),
    )


def save_own_rubric(
    person_id: int, slug: str, lesson_key: str, number: int, form: FormValues, at: datetime
) -> None:
    """Save what the learner finds in their own texts of the run ``number``.

    Raises:
        NotFoundError: There is no such run that has ended.
    """
    case, state = _ended_run(person_id, slug, lesson_key, number)
    known = copies.statements_of(case.kind, case.content)
    copy_services.apply_own_rubric(state.run_id, set(known) & set(form.get("tick", ())), at=at)


def show_copy(
    person_id: int, slug: str, lesson_key: str, number: int, form: FormValues, at: datetime
) -> None:
    """Show a copy of the texts of the run ``number`` to the line manager whom the form names.

    Raises:
        CopyRefusedError: Of ``copy_services.show_copy``.
        NotFoundError: There is no such run that has ended.
    """
    case, state = _ended_run(person_id, slug, lesson_key, number)
    parts = {part.key for part in case.kind.rubric(case.content)}
    manager = single_value(form, "manager")
    copy_services.show_copy(
        state.run_id,
        {key: text for key, text in saved_answer(state).texts.items() if key in parts},
        learner_id=person_id,
        manager_id=int(manager) if re.fullmatch(r"[0-9]{1,18}", manager) else 0,
        consents="agree" in form,
        at=at,
    )


def take_copy_back(person_id: int, copy_id: int, at: datetime) -> ShownCopy:
    """Take back a copy of one's own, and return it as it was. Repeat-safe.

    Raises:
        NotFoundError: There is no such copy of theirs.
    """
    registrations.lock_registration(copies.own_copy(person_id, copy_id).registration_id)
    copy = copies.own_copy(person_id, copy_id)
    copy_services.take_copy_back(copy, at=at)
    return copy


def read_copy(person_id: int, copy_id: int, at: datetime) -> CopyReading:
    """Load a copy for the person to whom it is shown; the learner's own ticks are not in it.

    Raises:
        NotFoundError: Of ``copies.copy_shown_to``.
    """
    copy = copies.copy_shown_to(person_id, copy_id, at)
    case, own = _case_of(copy), copies.rubrics_of_run(copy.run_id).get(copy.id)
    phrases = case.content.get("phrases_html", [])
    return CopyReading(
        copy,
        case,
        copies.build_rubric_texts(case.kind.rubric(case.content), copies.texts_of_copy(copy.id), own),
        [(number, html, own is not None and number in own.phrases) for number, html in enumerate(phrases, 1)],
    )


def apply_rubric(person_id: int, copy_id: int, form: FormValues, at: datetime) -> ShownCopy:
    """Save what a manager finds in a copy that is shown to them, and return the copy.

    Raises:
        NotFoundError: Of ``copies.copy_shown_to``; it may have been taken back meanwhile.
    """
    registrations.lock_registration(copies.copy_shown_to(person_id, copy_id, at).registration_id)
    copy = copies.copy_shown_to(person_id, copy_id, at)
    case = _case_of(copy)
    ticks = set(copies.statements_of(case.kind, case.content)) & set(form.get("tick", ()))
    numbers = range(1, 1 + len(case.content.get("phrases_html", [])))
    chosen = set(form.get("phrase", ()))
    copy_services.apply_rubric_to_copy(copy, ticks, [n for n in numbers if str(n) in chosen], at=at)
    return copy


def _case_of(copy: ShownCopy) -> LessonCase:
    version = published_version(version_key(copy.version_id))
    lesson = next(lesson for lesson in version.lessons if lesson.id == copy.lesson_id)
    case = version.lesson_case(lesson)
    if case is None:
        raise NotFoundError("There is no such text.")
    return case


def _ended_run(person_id: int, slug: str, lesson_key: str, number: int) -> tuple[LessonCase, CaseState]:
    """The person's latest run through a case, locked, if it has this number and has ended."""
    module = queries.module_reading_with_lesson(person_id, slug, lesson_key)
    lesson = module.lesson_by_key(lesson_key)
    case = load_case(person_id, module, lesson)
    if case is None or case.state is None or not case.ended or case.number != number:
        raise NotFoundError("There is no such run, or it has not ended.")
    registrations.lock_registration(case.state.registration_id)
    return case.case, case.state
