"""Entries about a recommendation as a whole: who owns it, what was decided, and what may go wrong.

None of them commits. Each takes the stamp first, and writes its audit event.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from portal.domain.people.positions import is_known_fact
from portal.domain.reports.parameters import EARLIEST, TOO_EARLY, Position
from portal.features.assurance.desk import (
    ActionSnapshot,
    RecommendationSnapshot,
    list_held_facts,
    read_desk,
    read_held_by_subject,
)
from portal.features.assurance.models import (
    ACTION_STATES,
    ActionDependency,
    ActionVersion,
    AssuranceAction,
    AssuranceDecision,
    Recommendation,
    RecommendationOwner,
    RiskAssessment,
)
from portal.platform.audit import log
from portal.platform.clock import london_day
from portal.platform.db import Fact, db, stamp
from portal.platform.errors import ConflictError, FieldError, NotFoundError

# What every entry at the desk begins with: the stamp, a day that it may hold from, its recommendation.

LONGEST_TITLE, LONGEST_TEXT = 150, 2_000  # characters

Entry = TypeVar("Entry", bound=Fact)


class EntryRefusedError(FieldError):
    """Something cannot be entered at the desk so."""


def begin_entry(from_on: date, at: datetime) -> Position:
    """Take the stamp, and give the position of the entry: as at its day, with all that is known."""
    recorded_at, today = stamp(), london_day(at)
    if from_on > today:
        raise EntryRefusedError("from_on", "Enter today’s date or an earlier one.")
    if from_on < EARLIEST:
        raise EntryRefusedError("from_on", TOO_EARLY)
    return Position(from_on, recorded_at, today, latest=True)


def require_recommendation(key: str) -> Recommendation:
    """The recommendation."""
    recommendation: Recommendation | None = db.session.scalar(
        select(Recommendation).where(Recommendation.key == key)
    )
    if recommendation is None:
        raise NotFoundError("There is no such recommendation.")
    return recommendation


def refuse_wrong_lengths(**texts: str) -> None:
    """Refuse a text that is empty or too long; ``title`` is shorter than others."""
    for field, text in texts.items():
        longest = LONGEST_TITLE if field in ("title", "decided_by") else LONGEST_TEXT
        if not text.strip():
            raise EntryRefusedError(field, "Enter a text.")
        if len(text) > longest:
            raise EntryRefusedError(
                field, f"This has {len(text):,} characters. Shorten it to {longest:,} or fewer."
            )


def add_entry(kind: type[Entry], position: Position, *, by: int, **columns: Any) -> Entry:
    """Add a fact that holds from the position's day on."""
    row = kind(
        recorded_at=position.as_known_on, from_on=position.as_at, recorded_by_id=by, **columns
    )  # fmt: skip
    db.session.add(row)
    db.session.flush()
    return row


def find_entry(kind: type[Entry], entry_id: int, *conditions: ColumnElement[bool]) -> Entry:
    """A fact that may be corrected or taken back; whoever writes takes the stamp first."""
    entry: Entry | None = db.session.scalar(select(kind).where(kind.id == entry_id, *conditions))
    if entry is None or entry.void:
        raise NotFoundError("There is no such entry.")
    is_known = select(kind.id).where(kind.id == entry_id, is_known_fact(kind))
    if db.session.scalar(is_known) is None:
        raise ConflictError("This entry was corrected or taken back since you opened the page.")
    return entry


SCALE = range(1, 6)  # of likelihood and of impact


@dataclass(frozen=True, slots=True)
class DecisionDetails:
    """A decision of the force, in words."""

    title: str
    text: str
    decided_by: str  # a post or a meeting, not a name


@dataclass(frozen=True, slots=True)
class RiskDetails:
    """What may go wrong, and how likely and how grave that is, from 1 to 5."""

    likelihood: int
    impact: int
    text: str


def give_owner(key: str, person_id: int | None, *, from_on: date, at: datetime, by: int) -> None:
    """Give a recommendation to a person, or to nobody, from a day on."""
    position = begin_entry(from_on, at)
    recommendation = require_recommendation(key)
    owners = list_held_facts(
        RecommendationOwner, position, RecommendationOwner.recommendation_id == recommendation.id
    )
    if (owners[-1].person_id if owners else None) == person_id:
        whom = "Nobody owns it" if person_id is None else "This person owns it"
        raise EntryRefusedError("owner", f"{whom} on that day already.")
    add_entry(RecommendationOwner, position, by=by, recommendation_id=recommendation.id, person_id=person_id)
    log("recommendation.given", actor_id=by, subject_id=person_id, **_audit_detail(key, from_on))


def record_decision(key: str, details: DecisionDetails, *, from_on: date, at: datetime, by: int) -> int:
    """Record what the force decided on a day; return the decision's id."""
    position = begin_entry(from_on, at)
    refuse_wrong_lengths(**asdict(details))
    recommendation = require_recommendation(key)
    decisions = list_held_facts(
        AssuranceDecision,
        position,
        AssuranceDecision.recommendation_id == recommendation.id,
        AssuranceDecision.from_on == from_on,
    )
    if details in [DecisionDetails(row.title, row.text, row.decided_by) for row in decisions]:
        raise EntryRefusedError("title", "This decision is recorded on that day already.")
    row = add_entry(
        AssuranceDecision, position, by=by, recommendation_id=recommendation.id, **asdict(details)
    )
    log("assurance_decision.recorded", actor_id=by, **_audit_detail(key, from_on))
    return row.id


def correct_decision(
    key: str, decision_id: int, details: DecisionDetails, *, from_on: date, at: datetime, by: int
) -> int:
    """Replace a decision that was recorded wrongly; return the id of the new one. What it said stays.

    Raises:
        ConflictError: It was corrected or taken back already.
        EntryRefusedError: The day or a text cannot be one.
    """
    position = begin_entry(from_on, at)
    refuse_wrong_lengths(**asdict(details))
    row = find_decision(key, decision_id)
    new = add_entry(
        AssuranceDecision,
        position,
        by=by,
        recommendation_id=row.recommendation_id,
        replaces_id=row.id,
        **asdict(details),
    )
    log("assurance_decision.corrected", actor_id=by, **_audit_detail(key, from_on))
    return new.id


def take_decision_back(key: str, decision_id: int, *, by: int) -> None:
    """Say that a decision was never made; until this instant it was known, and so it stays known then.

    Raises:
        ConflictError: It was corrected or taken back already.
    """
    recorded_at = stamp()  # before what is to be taken back is read
    row = find_decision(key, decision_id)
    void = AssuranceDecision(
        recorded_at=recorded_at,
        replaces_id=row.id,
        void=True,
        recommendation_id=row.recommendation_id,
        from_on=row.from_on,
        title=row.title,
        text=row.text,
        decided_by=row.decided_by,
        recorded_by_id=by,
    )
    db.session.add(void)
    db.session.flush()
    log("assurance_decision.taken_back", actor_id=by, **_audit_detail(key, row.from_on))


def assess_risk(key: str, details: RiskDetails, *, from_on: date, at: datetime, by: int) -> None:
    """Say what may go wrong with a recommendation, from a day on."""
    position = begin_entry(from_on, at)
    refuse_wrong_lengths(text=details.text)
    for field in ("likelihood", "impact"):
        if getattr(details, field) not in SCALE:
            raise EntryRefusedError(field, f"Choose a number from {SCALE[0]} to {SCALE[-1]}.")
    recommendation = require_recommendation(key)
    risks = list_held_facts(RiskAssessment, position, RiskAssessment.recommendation_id == recommendation.id)
    if risks and RiskDetails(risks[-1].likelihood, risks[-1].impact, risks[-1].text) == details:
        raise EntryRefusedError("text", "This is the risk on that day already. Change something.")
    add_entry(RiskAssessment, position, by=by, recommendation_id=recommendation.id, **asdict(details))
    log("risk.assessed", actor_id=by, **_audit_detail(key, from_on))


def find_decision(key: str, decision_id: int) -> AssuranceDecision:
    """A decision of a recommendation that may be corrected.

    Raises:
        ConflictError: It was corrected or taken back already.
    """
    recommendation = require_recommendation(key)
    return find_entry(
        AssuranceDecision, decision_id, AssuranceDecision.recommendation_id == recommendation.id
    )


def _audit_detail(key: str, from_on: date) -> dict[str, Any]:
    return {"recommendation": key, "since": from_on.isoformat()}


# Actions: what the force does about a recommendation, whose, until when, and what each waits for.
#
# What an action waits for may never lead back to it, on no day. Services here commit nothing; each takes
# the stamp first, and writes its audit event.

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
    """Say what an action is from a day on, and why; whether that is what holds today."""
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
    """The action."""
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
    """The ids of the actions that are waited for."""
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


# What an action waits for, and whether it must be looked at: late, or waiting for what will not come.


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


# What is a person's own at the desk: recommendations, actions, and evidence that no longer holds.

_other = aliased(ActionVersion)


@dataclass(frozen=True, slots=True)
class OwnWork:
    """What is a person's own at a position, each list in its order; empty where there is nothing."""

    recommendations: tuple[RecommendationSnapshot, ...]
    actions: tuple[ActionLine, ...]  # neither done nor dropped
    titles: dict[str, str]  # of recommendations, by key
    sent_back: tuple[RecommendationSnapshot, ...]  # whose last judgement was theirs, and was sent back


def read_own_work(person_id: int, position: Position) -> OwnWork:
    """The recommendations and the unfinished actions that a person owns, in a fixed number of statements."""
    desk = read_desk(position)
    lines = list_action_lines(desk, position.as_at)
    return OwnWork(
        tuple(recommendation for recommendation in desk if recommendation.owner_id == person_id),
        tuple(line for line in lines if line.owner_id == person_id and not line.has_ended),
        {recommendation.key: recommendation.version.title for recommendation in desk},
        tuple(each for each in desk if each.sent_back and each.sent_back.judgement.made_by_id == person_id),
    )


def count_own_actions(person_id: int, today: date) -> int:
    """How many unfinished actions a person owns today, as known now. One statement."""
    versions: dict[int, ActionVersion] = {}
    theirs = select(_other.action_id).where(_other.owner_id == person_id)  # on some day: of few people, few
    statement = select(ActionVersion).where(
        is_known_fact(ActionVersion), ActionVersion.from_on <= today, ActionVersion.action_id.in_(theirs)
    )
    order = (ActionVersion.from_on, ActionVersion.recorded_at, ActionVersion.id)
    for version in db.session.scalars(statement.order_by(*order)):
        versions[version.action_id] = version
    return sum(version.owner_id == person_id and version.state not in ENDED for version in versions.values())
