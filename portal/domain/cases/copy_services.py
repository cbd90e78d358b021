"""Showing a copy of one's texts to one's line manager, taking it back, and applying the rubric to texts."""

from collections.abc import Collection, Mapping
from datetime import datetime

from sqlalchemy import insert

from portal.domain.cases.copies import (
    PHRASES,
    TICKS,
    ShownCopy,
    latest_copy_of,
    line_manager_on,
)
from portal.domain.cases.models import CaseCopy, CaseCopyEnd, CaseRubric
from portal.domain.people.notes import erase_notes, write_notes
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, write_row
from portal.platform.errors import RuleError

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
