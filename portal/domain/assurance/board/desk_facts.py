"""Every fact of the desk, read once, so that it can be looked at from many positions without asking again."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import defer

from portal.domain.assurance.desk import HeldEvidence, HeldJudgement
from portal.domain.assurance.models import (
    ActionVersion,
    AssuranceAction,
    AssuranceDecision,
    Evidence,
    EvidenceVersion,
    Judgement,
    JudgementDecision,
    Narrative,
    PlanVersion,
    Recommendation,
    RecommendationOwner,
    RecommendationVersion,
    RiskAssessment,
)
from portal.domain.people.as_of import choose_known
from portal.platform.db import Fact, db

# Kinds of evidence that have a numerator and a denominator.
COUNTED_KINDS = ("figure", "acknowledgements", "attendance", "samples")

KINDS: tuple[type[Any], ...] = (
    RecommendationOwner,
    ActionVersion,
    AssuranceDecision,
    RiskAssessment,
    Narrative,
    EvidenceVersion,
    Judgement,
    PlanVersion,
)

Dated = TypeVar("Dated", bound=Fact)


@dataclass(frozen=True)
class DeskFacts:
    """What was recorded at the desk by an instant, whatever became of it since.

    Attributes:
        keys: The key of each recommendation by its id.
        rows: The facts of each class of ``KINDS``.
        versions: Published versions of the recommendations, the lowest number first.
        decisions: What became of each judgement, by its id.
        references: The reference and the recommendation's id of each action and each piece of evidence, by
            class and id.
    """

    keys: Mapping[int, str]
    rows: Mapping[type[Any], Sequence[Any]]
    versions: Sequence[RecommendationVersion] = ()
    decisions: dict[int, JudgementDecision] = field(default_factory=dict)
    references: dict[tuple[type[Any], int], tuple[str, int]] = field(default_factory=dict)

    def recommendation_of(self, fact: Any) -> int:
        """The id of the recommendation that a fact is about."""
        if isinstance(fact, ActionVersion):
            return self.references[AssuranceAction, fact.action_id][1]
        if isinstance(fact, EvidenceVersion):
            return self.references[Evidence, fact.evidence_id][1]
        recommendation_id: int = fact.recommendation_id
        return recommendation_id

    def reference_of(self, fact: Any) -> str:
        """The reference of a version of an action or of evidence; "" of other facts."""
        if isinstance(fact, ActionVersion):
            return self.references[AssuranceAction, fact.action_id][0]
        if isinstance(fact, EvidenceVersion):
            return self.references[Evidence, fact.evidence_id][0]
        return ""

    def is_known(self, recommendation_id: int, as_known_on: datetime) -> bool:
        """Whether a version of the recommendation had been recorded by then."""
        known = choose_known(self.versions, as_known_on)
        return any(version.recommendation_id == recommendation_id for version in known)

    def judgement_at(
        self, recommendation_id: int, as_at: date, as_known_on: datetime
    ) -> HeldJudgement | None:
        """The judgement that counts at a position: the latest confirmed one; None: it is not judged."""
        for row in reversed(choose_held(self.rows[Judgement], as_at, as_known_on)):
            decision = self.decisions.get(row.id)
            if row.recommendation_id != recommendation_id or decision is None:
                continue
            if decision.outcome == "confirmed" and decision.recorded_at <= as_known_on:
                return HeldJudgement(row, decision)
        return None

    def headlines_at(self, as_at: date, as_known_on: datetime) -> dict[int, HeldEvidence]:
        """The piece of evidence whose figure stands for each recommendation, by the recommendation's id.

        It is the first counted one by reference, so that one figure is followed over the months rather than
        the worst of each.
        """
        headlines: dict[int, HeldEvidence] = {}
        for piece in self.list_evidence(as_at, as_known_on):
            if piece.version.kind in COUNTED_KINDS:
                headlines.setdefault(self.recommendation_of(piece.version), piece)
        return headlines

    def list_evidence(self, as_at: date, as_known_on: datetime) -> list[HeldEvidence]:
        """The pieces of evidence at a position, by reference, without what is withdrawn."""
        held = {row.evidence_id: row for row in choose_held(self.rows[EvidenceVersion], as_at, as_known_on)}
        return [
            HeldEvidence(self.reference_of(version), version)
            for _, version in sorted(held.items())
            if not version.withdrawn
        ]


def read_desk_facts(as_known_on: datetime) -> DeskFacts:
    """Read every fact of the desk recorded by an instant. The number of statements is fixed."""
    rows = {
        kind: list(db.session.scalars(select(kind).where(kind.recorded_at <= as_known_on))) for kind in KINDS
    }
    versions = (
        select(RecommendationVersion)
        .where(RecommendationVersion.recorded_at <= as_known_on)
        .options(defer(RecommendationVersion.content))
        .order_by(RecommendationVersion.number)
    )
    decisions = select(JudgementDecision).where(JudgementDecision.recorded_at <= as_known_on)
    references: dict[tuple[type[Any], int], tuple[str, int]] = {}
    for thing in (AssuranceAction, Evidence):
        for row in db.session.execute(select(thing.id, thing.reference, thing.recommendation_id)):
            references[thing, row[0]] = (row[1], row[2])
    return DeskFacts(
        {found: key for found, key in db.session.execute(select(Recommendation.id, Recommendation.key))},
        rows,
        list(db.session.scalars(versions)),
        {row.judgement_id: row for row in db.session.scalars(decisions)},
        references,
    )


def choose_held(rows: Iterable[Dated], as_at: date, as_known_on: datetime) -> list[Dated]:
    """The rows that are known and hold from a day or an earlier one, as ``list_held`` reads them.

    The latest day last; of one day, the one recorded last.
    """
    held = [row for row in choose_known(rows, as_known_on) if _from_on(row) <= as_at]
    return sorted(held, key=lambda row: (_from_on(row), row.recorded_at, row.id))


def _from_on(row: Any) -> date:
    day: date = row.from_on
    return day
