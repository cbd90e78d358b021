"""Entries about a recommendation as a whole: who owns it, what was decided, and what may go wrong.

None of them commits. Each takes the stamp first, and writes its audit event.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

from portal.domain.assurance.entering import (
    EntryRefusedError,
    add_entry,
    begin_entry,
    find_entry,
    refuse_wrong_lengths,
    require_recommendation,
)
from portal.domain.assurance.held_facts import list_held_facts
from portal.domain.assurance.models import AssuranceDecision, RecommendationOwner, RiskAssessment
from portal.platform.audit.services import log
from portal.platform.db import db, stamp

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
    """Give a recommendation to a person, or to nobody, from a day on.

    Raises:
        NotFoundError: There is no such recommendation.
        EntryRefusedError: The day cannot be one, or that person owns it on that day already.
    """
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
    """Record what the force decided on a day; return the decision's id.

    Raises:
        NotFoundError: There is no such recommendation.
        EntryRefusedError: The day or a text cannot be one, or this is recorded on that day already: the
            form was sent twice.
    """
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
        NotFoundError: There is no such decision of this recommendation.
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
        NotFoundError: There is no such decision of this recommendation.
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
    """Say what may go wrong with a recommendation, from a day on.

    Raises:
        NotFoundError: There is no such recommendation.
        EntryRefusedError: The day, the text or a number cannot be one, or this holds on that day already.
    """
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
        NotFoundError: There is no such decision of this recommendation.
        ConflictError: It was corrected or taken back already.
    """
    recommendation = require_recommendation(key)
    return find_entry(
        AssuranceDecision, decision_id, AssuranceDecision.recommendation_id == recommendation.id
    )


def _audit_detail(key: str, from_on: date) -> dict[str, Any]:
    return {"recommendation": key, "since": from_on.isoformat()}
