"""What was recorded at the desk between two positions, in words, with the reason where one was given."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from portal.domain.assurance.desk import FACT_KINDS, DeskFacts
from portal.domain.assurance.held_facts import choose_held_facts
from portal.domain.assurance.models import (
    ActionVersion,
    AssuranceDecision,
    EvidenceVersion,
    Judgement,
    Narrative,
    PlanVersion,
    RecommendationOwner,
    RiskAssessment,
)
from portal.domain.assurance.wording import ACTION_WORDS, JUDGEMENT_WORDS, DeskNames
from portal.domain.reports.parameters import Position
from portal.platform.clock import london_day
from portal.platform.wording import date as say_date

NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class DeskChange:
    """Something that was recorded at the desk.

    Attributes:
        recommendation_id: What it is about.
        on: The day from which it holds.
        recorded_at: When it was recorded.
        words: What changed, as a sentence without its stop.
        why: The reason in its author's words; "" where none was given.
    """

    recommendation_id: int
    on: date
    recorded_at: datetime
    words: str
    why: str = ""

    @property
    def is_late(self) -> bool:
        """Whether it was entered on a later day than that from which it holds."""
        return self.on < london_day(self.recorded_at)


def list_desk_changes(
    facts: DeskFacts, earlier: Position, later: Position, names: DeskNames
) -> list[DeskChange]:
    """What holds at the later position and did not at the earlier one, the latest first.

    Args:
        facts: All that was recorded by the later position.
        earlier: The position to compare with.
        later: The position that the board is shown at.
        names: DeskNames of people by id.
    """
    changes = []
    for kind in FACT_KINDS:
        before = {row.id for row in choose_held_facts(facts.rows[kind], earlier)}
        rows = choose_held_facts(facts.rows[kind], later)
        for index, row in enumerate(rows):
            if row.id not in before:
                previous = _find_previous(rows[:index], row)
                changes.append(_describe_change(facts, row, previous, names))
        changes += _list_withdrawn(facts, kind, earlier, later, names)
    changes += _list_outcomes(facts, earlier, later)
    return sorted(changes, key=lambda change: (change.recorded_at, change.words), reverse=True)


def _subject_of(row: Any) -> Any:
    """What versions of one thing have in common; decisions and judgements have nothing before them."""
    if isinstance(row, ActionVersion):
        return row.action_id
    if isinstance(row, EvidenceVersion):
        return row.evidence_id
    return row.recommendation_id


def _find_previous(rows: list[Any], row: Any) -> Any:
    """What held of the same thing before a fact; None: nothing."""
    return next((other for other in reversed(rows) if _subject_of(other) == _subject_of(row)), None)


def _describe_change(facts: DeskFacts, row: Any, previous: Any, names: DeskNames) -> DeskChange:
    words = _WORDS[type(row)](facts, row, previous, names)
    why = "" if isinstance(row, AssuranceDecision) else getattr(row, "reason", "")
    correction = "Corrected: " if row.replaces_id is not None else ""
    # A judgement says of which day it is; the other facts do not.
    on = london_day(row.recorded_at) if isinstance(row, Judgement) else row.from_on
    return DeskChange(facts.recommendation_of(row), on, row.recorded_at, f"{correction}{words}", why)


def _list_withdrawn(
    facts: DeskFacts, kind: type[Any], earlier: Position, later: Position, names: DeskNames
) -> Iterator[DeskChange]:
    """The facts of a class that were known at the earlier position and have been withdrawn since."""
    known = {row.id: row for row in choose_held_facts(facts.rows[kind], earlier)}
    for row in facts.rows[kind]:
        if row.void and row.replaces_id in known and row.recorded_at <= later.as_known_on:
            change = _describe_change(facts, known[row.replaces_id], None, names)
            yield DeskChange(
                change.recommendation_id, change.on, row.recorded_at, f"Withdrawn: {change.words}"
            )


def _list_outcomes(facts: DeskFacts, earlier: Position, later: Position) -> Iterator[DeskChange]:
    """What second people said of judgements, and judgements that their authors withdrew."""
    for row in choose_held_facts(facts.rows[Judgement], later):
        decision = facts.decisions.get(row.id)
        if decision is None or not earlier.as_known_on < decision.recorded_at <= later.as_known_on:
            continue
        words = f"Judgement “{JUDGEMENT_WORDS[row.state]}” {_OUTCOMES[decision.outcome]}"
        yield DeskChange(
            row.recommendation_id, decision.decided_on, decision.recorded_at, words, decision.reason
        )


_OUTCOMES = {
    "confirmed": "confirmed by a second person",
    "sent_back": "sent back",
    "withdrawn": "withdrawn by its author",
}


def _owner_words(_facts: DeskFacts, row: RecommendationOwner, previous: Any, names: DeskNames) -> str:
    was = f" (was {_person_words(previous.person_id, names)})" if previous else ""
    return f"Owner: {_person_words(row.person_id, names)}{was}"


def _action_words(facts: DeskFacts, row: ActionVersion, previous: Any, names: DeskNames) -> str:
    action = f"Action {facts.reference_of(row)}"
    if previous is None:
        due = f", due {say_date(row.due_on)}" if row.due_on else ""
        return f"{action} added: {row.title}{due}"
    parts = []
    if row.state != previous.state:
        parts.append(f"{_state_words(row)} (was {_state_words(previous)})")
    if row.due_on != previous.due_on:
        parts.append(f"due {_day_words(row.due_on)} (was {_day_words(previous.due_on)})")
    if row.owner_id != previous.owner_id:
        parts.append(
            f"owner {_person_words(row.owner_id, names)} (was {_person_words(previous.owner_id, names)})"
        )
    return f"{action}, {row.title}: {', '.join(parts) or 'changed'}"


def _decision_words(_facts: DeskFacts, row: AssuranceDecision, _previous: Any, _names: DeskNames) -> str:
    return f"Decided by {row.decided_by}: {row.title}"


def _risk_words(_facts: DeskFacts, row: RiskAssessment, previous: Any, _names: DeskNames) -> str:
    was = f" (was {previous.likelihood * previous.impact})" if previous else ""
    return f"Risk: {row.likelihood * row.impact} of 25{was}"


def _narrative_words(_facts: DeskFacts, _row: Narrative, previous: Any, _names: DeskNames) -> str:
    return "Narrative changed" if previous else "Narrative written"


def _evidence_words(facts: DeskFacts, row: EvidenceVersion, previous: Any, _names: DeskNames) -> str:
    act = "withdrawn" if row.withdrawn else "changed" if previous else "added"
    return f"Evidence {facts.reference_of(row)} {act}: {row.title}"


def _judgement_words(_facts: DeskFacts, row: Judgement, _previous: Any, _names: DeskNames) -> str:
    return f"Judged “{JUDGEMENT_WORDS[row.state]}” as at {say_date(row.from_on)}"


def _plan_words(_facts: DeskFacts, row: PlanVersion, _previous: Any, _names: DeskNames) -> str:
    return f"Plan version {row.number} published"


_WORDS: dict[type[Any], Callable[[DeskFacts, Any, Any, DeskNames], str]] = {
    RecommendationOwner: _owner_words,
    ActionVersion: _action_words,
    AssuranceDecision: _decision_words,
    RiskAssessment: _risk_words,
    Narrative: _narrative_words,
    EvidenceVersion: _evidence_words,
    Judgement: _judgement_words,
    PlanVersion: _plan_words,
}


def _state_words(version: ActionVersion) -> str:
    return ACTION_WORDS[version.state].lower()


def _person_words(person_id: int | None, names: DeskNames) -> str:
    return NOBODY if person_id is None else names[person_id]


def _day_words(day: date | None) -> str:
    return say_date(day) if day else "on no day"
