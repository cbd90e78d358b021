"""Recommendations with what hangs on them, straight as rows."""

from datetime import date
from typing import Any

from sqlalchemy import func, select

from portal.features.assurance.models import (
    ActionVersion,
    AssuranceAction,
    Evidence,
    EvidenceVersion,
    Judgement,
    JudgementDecision,
    Recommendation,
    RecommendationOwner,
    RecommendationVersion,
)
from portal.platform.clock import london_day
from portal.platform.db import db, stamp, transaction


def make_recommendation(key: str = "e-learning", **columns: Any) -> int:
    """The next version of a recommendation, published now. Returns the recommendation's id."""
    with transaction():
        at = stamp()
        found = db.session.scalar(select(Recommendation).where(Recommendation.key == key))
        if found is None:
            found = Recommendation(recorded_at=at, key=key)
            db.session.add(found)
            db.session.flush()
        newest = select(func.max(RecommendationVersion.number))
        number = db.session.scalar(newest.where(RecommendationVersion.recommendation_id == found.id)) or 0
        values: dict[str, Any] = {
            "recommendation_id": found.id,
            "number": number + 1,
            "digest": f"{key}-{number + 1}",
            "content": b"",
            "title": "Relevant personnel complete the four e-learning modules",
            "source": "Inspection of the response to organised immigration crime, 16 May 2025",
            "addressee": "Chief constables",
            "wording": "Relevant personnel complete the modules.",
            "deadline_on": date(2026, 4, 30),
            "place": found.id,
            "published_at": at,
        }
        db.session.add(RecommendationVersion(recorded_at=at, **{**values, **columns}))
        return found.id


def give_owner(recommendation_id: int, person_id: int, *, by: int, on: date | None = None) -> int:
    """A person owns a recommendation, from a day or now on. Returns the id of the fact."""
    return _add(
        RecommendationOwner,
        on,
        recommendation_id=recommendation_id,
        person_id=person_id,
        recorded_by_id=by,
    )


def make_action(recommendation_id: int, *, by: int, on: date | None = None, **columns: Any) -> int:
    """An action with its first version. Returns the action's id."""
    with transaction():
        number = (db.session.scalar(select(func.count(AssuranceAction.id))) or 0) + 1
        action = AssuranceAction(
            recorded_at=stamp(), reference=f"A-{number:04}", recommendation_id=recommendation_id
        )
        db.session.add(action)
        db.session.flush()
        action_id = action.id
    values = {"title": "Brief every team", "state": "open", "reason": "", "due_on": None, "owner_id": None}
    _add(ActionVersion, on, action_id=action_id, recorded_by_id=by, **{**values, **columns})
    return action_id


def make_evidence(
    recommendation_id: int,
    kind: str,
    definition: dict[str, Any],
    *,
    by: int,
    on: date | None = None,
    **columns: Any,
) -> int:
    """A piece of evidence with its first version. Returns the evidence's id."""
    with transaction():
        number = (db.session.scalar(select(func.count(Evidence.id))) or 0) + 1
        piece = Evidence(recorded_at=stamp(), reference=f"E-{number:04}", recommendation_id=recommendation_id)
        db.session.add(piece)
        db.session.flush()
        evidence_id = piece.id
    values = {"title": "Completed modules", "owner_id": None, "review_on": None, "reason": ""}
    _add(
        EvidenceVersion,
        on,
        evidence_id=evidence_id,
        kind=kind,
        definition=definition,
        recorded_by_id=by,
        **{**values, **columns},
    )
    return evidence_id


def make_judgement(
    recommendation_id: int, state: str, *, by: int, confirmed_by: int | None = None, on: date | None = None
) -> int:
    """A judgement without figures, confirmed where somebody confirms it. Returns its id."""
    with transaction():
        at = stamp()
        day = on or london_day(at)
        judgement = Judgement(
            recorded_at=at,
            recommendation_id=recommendation_id,
            from_on=day,
            as_known_on=at,
            state=state,
            reason="The figures say so.",
            figures=[],
            made_by_id=by,
        )
        db.session.add(judgement)
        db.session.flush()
        judgement_id = judgement.id
    if confirmed_by is not None:
        with transaction():
            at = stamp()
            db.session.add(
                JudgementDecision(
                    recorded_at=at,
                    judgement_id=judgement_id,
                    decided_on=london_day(at),
                    outcome="confirmed",
                    reason="",
                    decided_by_id=confirmed_by,
                )
            )
    return judgement_id


def _add(fact: type[Any], on: date | None, **columns: Any) -> int:
    with transaction():
        at = stamp()
        row = fact(recorded_at=at, from_on=on or london_day(at), **columns)
        db.session.add(row)
        db.session.flush()
        return row.id
