"""How a recommendation came to be as it is: every entry with both of its times, the latest first.

Entries that were corrected or taken back stay in the list, and say so.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from portal.domain.assurance.models import (
    ActionVersion,
    AssuranceAction,
    AssuranceDecision,
    Evidence,
    EvidenceVersion,
    Judgement,
    JudgementDecision,
    Narrative,
    Recommendation,
    RecommendationOwner,
    RecommendationVersion,
    RiskAssessment,
)
from portal.domain.reports.parameters import Position
from portal.platform.clock import london_day
from portal.platform.db import db

CORRECTED, TAKEN_BACK = "corrected", "taken_back"


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry about a recommendation."""

    kind: str  # version, owner, action, decision, risk, evidence, judgement, outcome, narrative
    from_on: date  # the day from which it holds
    recorded_at: datetime
    recorded_by_id: int | None  # None: the command line
    row: Any  # the fact
    reference: str = ""  # of an action or a piece of evidence
    correction: str = ""  # CORRECTED, TAKEN_BACK, or empty: neither

    @property
    def entered_late(self) -> bool:
        """Whether it was entered on a later day than the one from which it holds."""
        return london_day(self.recorded_at) > self.from_on


def list_history(key: str, position: Position) -> list[HistoryEntry]:
    """Every entry about a recommendation that was made by an instant and holds by a day.

    The one recorded last comes first. The number of statements is fixed; none if there is no such key.
    """
    owned = Recommendation.key == key
    entries = [
        *_list_versions(owned),
        *_list_facts("owner", RecommendationOwner, owned),
        *_list_facts("decision", AssuranceDecision, owned),
        *_list_facts("risk", RiskAssessment, owned),
        *_list_facts("narrative", Narrative, owned),
        *_list_pieces("action", ActionVersion, AssuranceAction, ActionVersion.action_id, owned),
        *_list_pieces("evidence", EvidenceVersion, Evidence, EvidenceVersion.evidence_id, owned),
        *_list_judgements(owned),
    ]
    corrections = _list_corrections(entries, position)
    shown_entries = [
        HistoryEntry(
            entry.kind,
            entry.from_on,
            entry.recorded_at,
            entry.recorded_by_id,
            entry.row,
            entry.reference,
            corrections.get((entry.kind, entry.row.id), ""),
        )
        for entry in entries
        if entry.recorded_at <= position.as_known_on
        and entry.from_on <= position.as_at
        and not getattr(entry.row, "void", False)
    ]
    return sorted(
        shown_entries, key=lambda entry: (entry.recorded_at, entry.from_on, entry.row.id), reverse=True
    )


def _list_corrections(entries: list[HistoryEntry], position: Position) -> dict[tuple[str, int], str]:
    """What became of each entry that a later one names, by its kind and id."""
    return {
        (entry.kind, entry.row.replaces_id): TAKEN_BACK if entry.row.void else CORRECTED
        for entry in entries
        if getattr(entry.row, "replaces_id", None) is not None and entry.recorded_at <= position.as_known_on
    }


def _list_versions(owned: ColumnElement[bool]) -> Iterator[HistoryEntry]:
    statement = select(RecommendationVersion).join(
        Recommendation, Recommendation.id == RecommendationVersion.recommendation_id
    )
    for row in db.session.scalars(statement.where(owned)):
        yield HistoryEntry("version", london_day(row.published_at), row.recorded_at, row.published_by_id, row)


def _list_facts(kind: str, fact: Any, owned: ColumnElement[bool]) -> Iterator[HistoryEntry]:
    statement = select(fact).join(Recommendation, Recommendation.id == fact.recommendation_id).where(owned)
    for row in db.session.scalars(statement):
        yield HistoryEntry(kind, row.from_on, row.recorded_at, row.recorded_by_id, row)


def _list_pieces(
    kind: str, fact: Any, piece: Any, piece_id: Any, owned: ColumnElement[bool]
) -> Iterator[HistoryEntry]:
    statement = (
        select(fact, piece.reference)
        .join(piece, piece.id == piece_id)
        .join(Recommendation, Recommendation.id == piece.recommendation_id)
        .where(owned)
    )
    for row, reference in db.session.execute(statement):
        yield HistoryEntry(kind, row.from_on, row.recorded_at, row.recorded_by_id, row, reference)


def _list_judgements(owned: ColumnElement[bool]) -> Iterator[HistoryEntry]:
    statement = (
        select(Judgement, JudgementDecision)
        .join(Recommendation, Recommendation.id == Judgement.recommendation_id)
        .outerjoin(JudgementDecision, JudgementDecision.judgement_id == Judgement.id)
        .where(owned)
    )
    for judgement, decision in db.session.execute(statement):
        yield HistoryEntry(
            "judgement", judgement.from_on, judgement.recorded_at, judgement.made_by_id, judgement
        )
        if decision is not None:
            yield HistoryEntry(
                "outcome", decision.decided_on, decision.recorded_at, decision.decided_by_id, decision
            )
