"""What an action waits for, and whether it must be looked at: late, or waiting for what will not come."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from portal.domain.assurance.actions import ENDED
from portal.domain.assurance.desk import ActionSnapshot, RecommendationSnapshot


@dataclass(frozen=True, slots=True)
class ActionLine:
    """An action as lists show it at a position."""

    reference: str
    title: str
    key: str  # of its recommendation
    owner_id: int | None
    due_on: date | None
    state: str
    reason: str  # why it was changed last
    since: date  # on which day it was said so
    waits_for: tuple["Waited", ...]  # what is not done yet
    is_late: bool  # past its due date, and neither done nor dropped

    @property
    def has_ended(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in ENDED


@dataclass(frozen=True, slots=True)
class Waited:
    """An action that another waits for."""

    reference: str
    title: str
    state: str
    key: str  # of its recommendation


def list_action_lines(desk: Iterable[RecommendationSnapshot], day: date) -> list[ActionLine]:
    """The actions of all of a desk's recommendations on a day: what is late first, then by due date.

    What is done or dropped comes last, and waits for nothing. An action without a date is last of its kind.
    """
    pairs = [(recommendation.key, action) for recommendation in desk for action in recommendation.actions]
    known = {
        action.reference: Waited(action.reference, action.version.title, action.version.state, key)
        for key, action in pairs
    }
    lines = [_make_line(key, action, known, day) for key, action in pairs]
    return sorted(
        lines, key=lambda line: (line.has_ended, line.due_on is None, line.due_on or day, line.reference)
    )


def _make_line(key: str, action: ActionSnapshot, known: dict[str, Waited], day: date) -> ActionLine:
    version = action.version
    has_ended = version.state in ENDED
    waited = (known[reference] for reference in action.waits_for if reference in known)
    return ActionLine(
        reference=action.reference,
        title=version.title,
        key=key,
        owner_id=version.owner_id,
        due_on=version.due_on,
        state=version.state,
        reason=version.reason,
        since=version.from_on,
        waits_for=() if has_ended else tuple(each for each in waited if each.state != "done"),
        is_late=not has_ended and version.due_on is not None and version.due_on < day,
    )
