"""Actions from an exercise: what is to be done, by which role or post, and by when."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.exercises.models import RunAction
from portal.domain.exercises.running.queries import RunView
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import ForbiddenError, NotFoundError

LONGEST = 300  # characters


@dataclass(frozen=True, slots=True)
class ListedAction:
    """One action that was not withdrawn."""

    key: UUID
    what: str
    owner: str
    due_on: date


def list_actions(run_id: int) -> list[ListedAction]:
    """The actions of a run, the earliest day first; without those that were withdrawn."""
    withdrawal = aliased(RunAction)
    rows = db.session.execute(
        select(RunAction.key, RunAction.what, RunAction.owner, RunAction.due_on)
        .outerjoin(withdrawal, withdrawal.withdraws_id == RunAction.id)
        .where(RunAction.run_id == run_id, RunAction.withdraws_id.is_(None), withdrawal.id.is_(None))
        .order_by(RunAction.due_on, RunAction.id)
    )
    return [ListedAction(*row) for row in rows]


def add_action(run: RunView, what: str, owner: str, due_on: date, *, key: UUID) -> None:
    """Write an action down; with a key that was sent before, nothing happens.

    Raises:
        ForbiddenError: The person does not lead the plenary of this run.
    """
    row = RunAction(key=key, what=what, owner=owner, due_on=due_on, withdraws_id=None)
    if _add_row_once(run, row) and not run.is_rehearsal:
        log("run_action.added", actor_id=run.person_id, run=run.reference)


def withdraw_action(run: RunView, action_key: UUID, *, key: UUID) -> None:
    """Withdraw an action, by a row that names it.

    Raises:
        ForbiddenError: As ``add_action``.
        NotFoundError: The run has no such action.
    """
    action = db.session.scalar(
        select(RunAction).where(RunAction.run_id == run.id, RunAction.key == action_key)
    )
    if action is None or action.withdraws_id is not None:
        raise NotFoundError("This exercise has no such action.")
    row = RunAction(key=key, what="", owner="", due_on=action.due_on, withdraws_id=action.id)
    if _add_row_once(run, row) and not run.is_rehearsal:
        log("run_action.withdrawn", actor_id=run.person_id, run=run.reference)


def _add_row_once(run: RunView, row: RunAction) -> bool:
    if not run.may_control:
        raise ForbiddenError("Only the person who leads the exercise writes down its actions.")
    recorded_at = stamp()
    if db.session.scalar(select(RunAction.id).where(RunAction.key == row.key)) is not None:
        return False
    row.run_id, row.by_id, row.recorded_at = run.id, run.person_id, recorded_at
    db.session.add(row)
    return True
