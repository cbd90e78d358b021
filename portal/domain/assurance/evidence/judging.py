"""Judgements: one person judges a recommendation on its evidence, and a second confirms or sends it back."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import aliased

from portal.domain.assurance.desk import RecommendationSnapshot, read_recommendation
from portal.domain.assurance.entering import (
    LONGEST_TEXT,
    EntryRefusedError,
    begin_entry,
    require_recommendation,
)
from portal.domain.assurance.evidence.checks import check_evidence
from portal.domain.assurance.models import JUDGEMENTS, Judgement, JudgementDecision, Recommendation
from portal.domain.reports.parameters import Position
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, NotFoundError, RuleError

_later = aliased(Judgement)
OUTCOMES = {"confirmed": "confirmed", "sent_back": "sent back", "withdrawn": "withdrawn"}


def make_judgement(key: str, state: str, reason: str, *, from_on: date, at: datetime, by: int) -> int:
    """Judge a recommendation as at a day, and keep every piece of evidence as it is now known to show then.

    Args:
        key: Of the recommendation.
        state: One of ``JUDGEMENTS``.
        reason: Why, about the force.
        from_on: The day: today or an earlier one.
        at: When.
        by: Its author.

    Returns:
        The id of the judgement, which waits for a second person.

    Raises:
        ConflictError: Another one waits.
        NotFoundError: There is no such recommendation.
        EntryRefusedError: The day, the state or the reason is refused.
    """
    position = begin_entry(from_on, at)
    recommendation = read_recommendation(key, position)
    _refuse_judgement(recommendation, state, reason)
    states = check_evidence(recommendation.evidence, position)
    row = Judgement(
        recorded_at=position.as_known_on,
        recommendation_id=recommendation.id,
        from_on=position.as_at,
        as_known_on=position.as_known_on,
        state=state,
        reason=reason.strip(),
        figures=[each.to_json() for each in states.values()],
        made_by_id=by,
    )
    db.session.add(row)
    db.session.flush()
    log("judgement.made", actor_id=by, recommendation=key, state=state)
    return row.id


def _refuse_judgement(recommendation: RecommendationSnapshot, state: str, reason: str) -> None:
    if state not in JUDGEMENTS:
        raise EntryRefusedError("state", "Choose whether the recommendation is met.")
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise EntryRefusedError("reason", f"Say why, in at most {LONGEST_TEXT:,} characters.")
    if _is_waiting(recommendation.id):
        raise ConflictError("A judgement waits for a second person. Confirm it, or send it back first.")
    if state in ("met", "partly_met") and not recommendation.evidence:
        raise EntryRefusedError(
            "state", "There is no evidence on this day. Add some before you judge that it is met."
        )


def confirm_judgement(key: str, judgement_id: int, *, by: int, at: datetime) -> None:
    """Confirm a judgement, which counts from now on.

    Raises:
        ConflictError: It is decided already.
        NotFoundError: This recommendation has none with this id.
        RuleError: They made it themselves.
    """
    row = _lock_judgement(key, judgement_id)
    if row.made_by_id == by:
        raise RuleError("You made this judgement yourself. Somebody else must confirm it.")
    _record_outcome(row, "confirmed", "", by=by, at=at)


def send_judgement_back(key: str, judgement_id: int, *, reason: str, by: int, at: datetime) -> None:
    """Send a judgement back with a reason; the one before still counts.

    Raises:
        ConflictError: It is decided already.
        NotFoundError: This recommendation has none with this id.
        RuleError: They made it themselves, or give no reason.
    """
    row = _lock_judgement(key, judgement_id)
    if row.made_by_id == by:
        raise RuleError("You made this judgement yourself. Withdraw it instead.")
    if not reason.strip() or len(reason) > LONGEST_TEXT:
        raise EntryRefusedError("reason", "Say what has to change.")
    _record_outcome(row, "sent_back", reason.strip(), by=by, at=at)


def withdraw_judgement(key: str, judgement_id: int, *, by: int, at: datetime) -> None:
    """Withdraw one's own judgement before it is decided.

    Raises:
        ConflictError: It is decided already.
        NotFoundError: This recommendation has none with this id.
        RuleError: Somebody else made it.
    """
    row = _lock_judgement(key, judgement_id)
    if row.made_by_id != by:
        raise RuleError("Only its author can withdraw a judgement. Send it back instead.")
    _record_outcome(row, "withdrawn", "", by=by, at=at)


def list_decided_judgements(
    recommendation_id: int, position: Position
) -> list[tuple[Judgement, JudgementDecision]]:
    """The judgements decided by the instant of a position, with what became of them; the latest first."""
    rows = db.session.execute(
        select(Judgement, JudgementDecision)
        .join(JudgementDecision, JudgementDecision.judgement_id == Judgement.id)
        .where(
            Judgement.recommendation_id == recommendation_id,
            JudgementDecision.recorded_at <= position.as_known_on,
        )
        .order_by(JudgementDecision.id.desc())
    )
    return [(judgement, decision) for judgement, decision in rows]


def list_judgements_for(person_id: int) -> list[tuple[str, Judgement]]:
    """The judgements of others that wait for a second person, with their recommendation's key; oldest first.

    One statement. Whether the person may confirm at all, the caller asks.
    """
    waiting = _select_waiting(Recommendation.key, Judgement).join(
        Recommendation, Recommendation.id == Judgement.recommendation_id
    )
    rows = db.session.execute(waiting.where(Judgement.made_by_id != person_id).order_by(Judgement.id))
    return [(key, judgement) for key, judgement in rows]


def count_sent_back(person_id: int) -> int:
    """How many judgements of a person were sent back, with no other one made since. One statement."""
    judged_since = exists().where(
        _later.recommendation_id == Judgement.recommendation_id, _later.id > Judgement.id
    )
    statement = (
        select(func.count(Judgement.id))
        .join(JudgementDecision, JudgementDecision.judgement_id == Judgement.id)
        .where(Judgement.made_by_id == person_id, JudgementDecision.outcome == "sent_back", ~judged_since)
    )
    return db.session.scalar(statement) or 0


def _select_waiting(*columns: Any) -> Select[Any]:
    decided = JudgementDecision.judgement_id == Judgement.id
    return select(*columns).select_from(Judgement).where(~exists().where(decided))


def _is_waiting(recommendation_id: int) -> bool:
    waiting = _select_waiting(Judgement.id).where(Judgement.recommendation_id == recommendation_id)
    return db.session.scalar(waiting.limit(1)) is not None


def _lock_judgement(key: str, judgement_id: int) -> Judgement:
    """The judgement of a recommendation that waits; of two decisions at once, the second finds it decided."""
    stamp()
    of_key = Judgement.recommendation_id == require_recommendation(key).id
    row: Judgement | None = db.session.scalar(select(Judgement).where(Judgement.id == judgement_id, of_key))
    if row is None:
        raise NotFoundError("There is no such judgement.")
    decided = select(JudgementDecision.outcome).where(JudgementDecision.judgement_id == judgement_id)
    if outcome := db.session.scalar(decided):
        raise ConflictError(f"This judgement has been {OUTCOMES[outcome]} already.")
    return row


def _record_outcome(row: Judgement, outcome: str, reason: str, *, by: int, at: datetime) -> None:
    decision = JudgementDecision(
        recorded_at=stamp(),
        judgement_id=row.id,
        decided_on=london_day(at),
        outcome=outcome,
        reason=reason,
        decided_by_id=by,
    )
    db.session.add(decision)
    db.session.flush()
    key = db.session.scalar(select(Recommendation.key).where(Recommendation.id == row.recommendation_id))
    detail = {"recommendation": key, "state": row.state}
    log(f"judgement.{outcome}", actor_id=by, subject_id=row.made_by_id, **detail)
