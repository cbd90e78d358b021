"""Actions: what the force does about a recommendation, whose, until when, and what each waits for.

What an action waits for may never lead back to it, on no day. Services here commit nothing; each takes the
stamp first, and writes its audit event.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime

from sqlalchemy import func, select

from portal.domain.assurance.entering import (
    EntryRefusedError,
    add_entry,
    begin_entry,
    refuse_wrong_lengths,
    require_recommendation,
)
from portal.domain.assurance.held_facts import read_held_by_subject
from portal.domain.assurance.models import (
    ACTION_STATES,
    ActionDependency,
    ActionVersion,
    AssuranceAction,
)
from portal.domain.people.as_of import is_known_fact
from portal.domain.reports.parameters import Position
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import NotFoundError

ENDED = ("done", "dropped")


@dataclass(frozen=True, slots=True)
class ActionDetails:
    """What an action is from a day on."""

    title: str
    owner_id: int | None
    due_on: date | None
    state: str  # one of ACTION_STATES
    waits_for: tuple[str, ...] = ()  # references of other actions, of any recommendation


def add_action(key: str, details: ActionDetails, *, from_on: date, at: datetime, by: int) -> str:
    """Add an action to a recommendation; return its reference.

    Raises:
        NotFoundError: There is no such recommendation.
        EntryRefusedError: It cannot be entered so, or the same action is there on that day: the form
            was sent twice.
    """
    position = begin_entry(from_on, at)
    refuse_wrong_lengths(title=details.title)
    recommendation = require_recommendation(key)
    _refuse_repeated_action(recommendation.id, details, position)
    number = (db.session.scalar(select(func.count()).select_from(AssuranceAction)) or 0) + 1
    action = AssuranceAction(
        recorded_at=position.as_known_on,
        reference=f"A-{number:04}",
        recommendation_id=recommendation.id,
    )
    db.session.add(action)
    db.session.flush()
    _write_version(action, details, "", position, by)
    log(
        "assurance_action.added",
        actor_id=by,
        subject_id=details.owner_id,
        reference=action.reference,
        recommendation=key,
        since=from_on.isoformat(),
    )
    return action.reference


def change_action(
    reference: str,
    details: ActionDetails,
    reason: str,
    *,
    from_on: date,
    at: datetime,
    by: int,
    reason_counts: bool = False,
) -> bool:
    """Say what an action is from a day on, and why; whether that is what holds today.

    Raises:
        NotFoundError: There is no such action.
        EntryRefusedError: It cannot be entered so, or nothing would change on that day; with
            ``reason_counts``, not even the reason.
    """
    position = begin_entry(from_on, at)
    refuse_wrong_lengths(title=details.title, reason=reason)
    action = find_action(reference)
    current = describe_action(action, position)
    if current is None:
        raise EntryRefusedError("from_on", "The action did not exist on that day. Enter a later day.")
    held = read_held_by_subject(ActionVersion, "action_id", position, ActionVersion.action_id == action.id)
    tells_more = reason_counts and held[action.id].reason != reason
    if current == replace(details, waits_for=tuple(sorted(details.waits_for))) and not tells_more:
        raise EntryRefusedError(
            "reason", "Nothing is different from what holds on that day. Change something."
        )
    version = _write_version(action, details, reason, position, by)
    log(
        "assurance_action.changed",
        actor_id=by,
        subject_id=details.owner_id,
        reference=reference,
        state=details.state,
        since=from_on.isoformat(),
    )
    today = replace(position, as_at=position.today)
    return read_held_by_subject(ActionVersion, "action_id", today)[action.id].id == version.id


def report_progress(reference: str, state: str, reason: str, *, from_on: date, at: datetime, by: int) -> bool:
    """Its owner says how far an action is from a day on, and what was done; whether that holds today.

    Raises:
        NotFoundError: There is no such action, or it is not theirs today and on that day.
        EntryRefusedError: It cannot be entered so.
    """
    position = begin_entry(from_on, at)
    action = find_action(reference)
    on_that_day = describe_action(action, position)
    today = describe_action(action, replace(position, as_at=position.today))
    if on_that_day is None or today is None or {on_that_day.owner_id, today.owner_id} != {by}:
        raise NotFoundError("There is no such action of yours on that day.")
    details = replace(on_that_day, state=state)
    return change_action(reference, details, reason, from_on=from_on, at=at, by=by, reason_counts=True)


def find_action(reference: str) -> AssuranceAction:
    """The action.

    Raises:
        NotFoundError: There is none with this reference.
    """
    action: AssuranceAction | None = db.session.scalar(
        select(AssuranceAction).where(AssuranceAction.reference == reference)
    )
    if action is None:
        raise NotFoundError("There is no such action.")
    return action


def describe_action(action: AssuranceAction, position: Position) -> ActionDetails | None:
    """What an action is at a position; None before its first day."""
    versions = read_held_by_subject(
        ActionVersion, "action_id", position, ActionVersion.action_id == action.id
    )
    version = versions.get(action.id)
    if version is None:
        return None
    waits_for = db.session.scalars(
        select(AssuranceAction.reference)
        .join(ActionDependency, ActionDependency.depends_on_id == AssuranceAction.id)
        .where(ActionDependency.action_version_id == version.id)
        .order_by(AssuranceAction.reference)
    )
    return ActionDetails(
        version.title, version.owner_id, version.due_on, version.state, waits_for=tuple(waits_for)
    )


def _refuse_repeated_action(recommendation_id: int, details: ActionDetails, position: Position) -> None:
    of_recommendation = select(AssuranceAction.id).where(
        AssuranceAction.recommendation_id == recommendation_id
    )
    versions = read_held_by_subject(
        ActionVersion, "action_id", position, ActionVersion.action_id.in_(of_recommendation)
    )
    entered = (details.title, details.owner_id, details.due_on)
    for action_id, version in versions.items():
        if version.state not in ENDED and (version.title, version.owner_id, version.due_on) == entered:
            action = db.session.get_one(AssuranceAction, action_id)
            raise EntryRefusedError(
                "title", f"{action.reference} is the same action. Change that one, or enter another title."
            )


def _write_version(
    action: AssuranceAction, details: ActionDetails, reason: str, position: Position, by: int
) -> ActionVersion:
    if details.state not in ACTION_STATES:
        raise EntryRefusedError("state", "Choose how far the action is.")
    others = _find_dependencies(action, details.waits_for, position)
    version = add_entry(
        ActionVersion,
        position,
        by=by,
        action_id=action.id,
        title=details.title,
        owner_id=details.owner_id,
        due_on=details.due_on,
        state=details.state,
        reason=reason,
    )
    db.session.add_all(
        ActionDependency(action_version_id=version.id, depends_on_id=other) for other in others
    )
    db.session.flush()
    _refuse_cycles(action, position)
    return version


def _find_dependencies(action: AssuranceAction, references: Collection[str], position: Position) -> set[int]:
    """The ids of the actions that are waited for.

    Raises:
        EntryRefusedError: One of them is the action itself, or is not there on that day.
    """
    if action.reference in references:
        raise EntryRefusedError("waits_for", "An action cannot wait for itself.")
    rows = db.session.execute(
        select(AssuranceAction.reference, AssuranceAction.id).where(AssuranceAction.reference.in_(references))
    )
    ids = {reference: action_id for reference, action_id in rows}
    versions = read_held_by_subject(ActionVersion, "action_id", position)
    missing = sorted(reference for reference in references if ids.get(reference) not in versions)
    if missing:
        raise EntryRefusedError(
            "waits_for", f"{missing[0]} does not exist on that day. Choose another action."
        )
    return set(ids.values())


def _refuse_cycles(action: AssuranceAction, position: Position) -> None:
    """Refuse that an action waits for itself through others, on any day from the position's on.

    What is written in between is undone with the transaction that this error ends.

    Raises:
        EntryRefusedError: It would.
    """
    days = db.session.scalars(
        select(ActionVersion.from_on)
        .where(is_known_fact(ActionVersion), ActionVersion.from_on >= position.as_at)
        .distinct()
    )
    for day in sorted(days):
        dependencies = _read_dependencies(replace(position, as_at=day))
        if cycle := find_cycle(dependencies, action.id):
            names = {row.id: row.reference for row in db.session.scalars(select(AssuranceAction))}
            chain = " waits for ".join(names[action_id] for action_id in cycle)
            raise EntryRefusedError("waits_for", f"These actions would wait for each other: {chain}.")


def _read_dependencies(position: Position) -> dict[int, set[int]]:
    """What each action waits for at a position. Two statements."""
    actions = {
        version.id: action
        for action, version in read_held_by_subject(ActionVersion, "action_id", position).items()
    }
    dependencies: dict[int, set[int]] = defaultdict(set)
    for version_id, other in db.session.execute(
        select(ActionDependency.action_version_id, ActionDependency.depends_on_id)
    ):
        if version_id in actions:
            dependencies[actions[version_id]].add(other)
    return dependencies


def find_cycle(dependencies: Mapping[int, Collection[int]], start: int) -> list[int]:
    """A way from ``start`` along what waits for what, back to ``start``; empty if there is none.

    >>> find_cycle({1: [2], 2: [3], 3: [1]}, 1), find_cycle({1: [2, 3], 2: [3]}, 1)
    ([1, 2, 3, 1], [])
    """
    before: dict[int, int] = {}
    open_ends = [start]
    while open_ends:
        current = open_ends.pop()
        for other in sorted(dependencies.get(current, ())):
            if other == start:
                cycle = [start, current]
                while cycle[-1] != start:
                    cycle.append(before[cycle[-1]])
                return cycle[::-1]
            if other not in before:
                before[other] = current
                open_ends.append(other)
    return []
