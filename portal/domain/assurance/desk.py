"""The desk at a position: each recommendation with its owner, actions, evidence and judgement.

Every fact of the desk is read once, and positions are looked at in memory: there are few of them, and pages
such as the board look at many positions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import defer

from portal.domain.assurance.held_facts import choose_held_by_subject, choose_held_facts
from portal.domain.assurance.models import (
    ActionDependency,
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
from portal.domain.reports.parameters import Position
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError

COUNTED_KINDS = ("figure", "acknowledgements", "attendance", "samples")  # have a numerator and a denominator
FACT_KINDS: tuple[type[Any], ...] = (
    RecommendationOwner,
    ActionVersion,
    AssuranceDecision,
    RiskAssessment,
    Narrative,
    EvidenceVersion,
    Judgement,
    PlanVersion,
)


@dataclass(frozen=True, slots=True)
class ActionSnapshot:
    """An action as it is at a position."""

    reference: str
    version: ActionVersion
    waits_for: tuple[str, ...]  # references of the actions that it depends on


@dataclass(frozen=True, slots=True)
class EvidenceSnapshot:
    """A piece of evidence as it is at a position; ``checks`` says whether it still holds."""

    reference: str
    version: EvidenceVersion


@dataclass(frozen=True, slots=True)
class JudgementSnapshot:
    """A judgement with what became of it, as far as it is known at a position."""

    judgement: Judgement
    decision: JudgementDecision | None  # None: it waits for a second person

    @property
    def is_confirmed(self) -> bool:
        """Whether it counts."""
        return self.decision is not None and self.decision.outcome == "confirmed"


@dataclass(frozen=True, slots=True)
class RecommendationSnapshot:
    """A recommendation at a position, with all that hangs on it; a list is empty where there is nothing."""

    id: int
    key: str
    version: RecommendationVersion
    owner_id: int | None
    actions: tuple[ActionSnapshot, ...]  # by reference
    decisions: tuple[AssuranceDecision, ...]  # the latest first
    evidence: tuple[EvidenceSnapshot, ...]  # by reference, without what is withdrawn
    judgements: tuple[JudgementSnapshot, ...]  # the latest first, without those sent back or withdrawn
    sent_back: JudgementSnapshot | None  # the one made last, where it was sent back
    risk: RiskAssessment | None
    narrative: Narrative | None
    plan: PlanVersion | None

    @property
    def judgement(self) -> JudgementSnapshot | None:
        """The judgement that counts: the latest confirmed one; None: not judged."""
        return next((judgement for judgement in self.judgements if judgement.is_confirmed), None)

    @property
    def waiting_judgement(self) -> JudgementSnapshot | None:
        """The judgement that waits for a second person."""
        return next((judgement for judgement in self.judgements if judgement.decision is None), None)

    @property
    def state(self) -> str:
        """One of ``JUDGEMENTS``."""
        return self.judgement.judgement.state if self.judgement else "not_judged"

    @property
    def headline(self) -> EvidenceSnapshot | None:
        """The evidence whose figure is shown for it: the first counted piece by reference; None: none counts.

        So one figure is followed over the months, rather than the worst of each.
        """
        return next((piece for piece in self.evidence if piece.version.kind in COUNTED_KINDS), None)


@dataclass(frozen=True)
class DeskFacts:
    """What was recorded at the desk by an instant, whatever became of it since.

    Attributes:
        keys: The key of each recommendation by its id.
        rows: The facts of each class of ``FACT_KINDS``.
        versions: Published versions of the recommendations, the lowest number first.
        decisions: What became of each judgement, by its id.
        references: The reference and the recommendation's id of each action and each piece of evidence, by
            class and id.
        waits: The references of the actions that a version of an action waits for, by the version's id.
    """

    keys: Mapping[int, str]
    rows: Mapping[type[Any], Sequence[Any]]
    versions: Sequence[RecommendationVersion]
    decisions: Mapping[int, JudgementDecision]
    references: Mapping[tuple[type[Any], int], tuple[str, int]]
    waits: Mapping[int, Sequence[str]]

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

    def desk_at(self, position: Position) -> list[RecommendationSnapshot]:
        """Every recommendation known at a position, in order; as known by the instant of reading."""
        owners, risks, narratives, plans = (
            choose_held_by_subject(self.rows[kind], "recommendation_id", position)
            for kind in (RecommendationOwner, RiskAssessment, Narrative, PlanVersion)
        )
        actions, evidence = self._choose_actions(position), self._choose_evidence(position)
        judgements, decisions = self._choose_judgements(position), self._choose_decisions(position)
        sent_back = self._choose_sent_back(position)
        recommendations = [
            RecommendationSnapshot(
                id=recommendation_id,
                key=self.keys[recommendation_id],
                version=version,
                owner_id=owners[recommendation_id].person_id if recommendation_id in owners else None,
                actions=tuple(actions[recommendation_id]),
                decisions=tuple(decisions[recommendation_id]),
                evidence=tuple(evidence[recommendation_id]),
                judgements=tuple(judgements[recommendation_id]),
                sent_back=sent_back.get(recommendation_id),
                risk=risks.get(recommendation_id),
                narrative=narratives.get(recommendation_id),
                plan=plans.get(recommendation_id),
            )
            for recommendation_id, version in self._choose_versions(position).items()
        ]
        return sorted(
            recommendations, key=lambda recommendation: (recommendation.version.place, recommendation.key)
        )

    def _choose_versions(self, position: Position) -> dict[int, RecommendationVersion]:
        """The version of each recommendation: the newest published by the day, else the first."""
        end = clock.end_of_day(position.as_at)
        versions: dict[int, RecommendationVersion] = {}
        for row in choose_known(self.versions, position.as_known_on):
            if row.recommendation_id not in versions or row.published_at <= end:
                versions[row.recommendation_id] = row
        return versions

    def _choose_actions(self, position: Position) -> dict[int, list[ActionSnapshot]]:
        actions: dict[int, list[ActionSnapshot]] = defaultdict(list)
        for _, version in sorted(
            choose_held_by_subject(self.rows[ActionVersion], "action_id", position).items()
        ):
            waits_for = tuple(sorted(self.waits.get(version.id, ())))
            action = ActionSnapshot(self.reference_of(version), version, waits_for)
            actions[self.recommendation_of(version)].append(action)
        return actions

    def _choose_evidence(self, position: Position) -> dict[int, list[EvidenceSnapshot]]:
        evidence: dict[int, list[EvidenceSnapshot]] = defaultdict(list)
        for _, version in sorted(
            choose_held_by_subject(self.rows[EvidenceVersion], "evidence_id", position).items()
        ):
            if not version.withdrawn:
                piece = EvidenceSnapshot(self.reference_of(version), version)
                evidence[self.recommendation_of(version)].append(piece)
        return evidence

    def _choose_decisions(self, position: Position) -> dict[int, list[AssuranceDecision]]:
        decisions: dict[int, list[AssuranceDecision]] = defaultdict(list)
        for row in reversed(choose_held_facts(self.rows[AssuranceDecision], position)):
            decisions[row.recommendation_id].append(row)
        return decisions

    def _choose_judgements(self, position: Position) -> dict[int, list[JudgementSnapshot]]:
        """The judgements of each recommendation, the latest first, without those sent back or withdrawn."""
        judgements: dict[int, list[JudgementSnapshot]] = defaultdict(list)
        for row in reversed(choose_held_facts(self.rows[Judgement], position)):
            judgement = self._judgement_at(row, position)
            if judgement.decision is None or judgement.is_confirmed:
                judgements[row.recommendation_id].append(judgement)
        return judgements

    def _choose_sent_back(self, position: Position) -> dict[int, JudgementSnapshot]:
        """The judgement made last about each recommendation, where it was sent back."""
        rows = sorted(choose_held_facts(self.rows[Judgement], position), key=lambda row: row.id)
        last = {row.recommendation_id: self._judgement_at(row, position) for row in rows}
        return {
            key: made for key, made in last.items() if made.decision and made.decision.outcome == "sent_back"
        }

    def _judgement_at(self, row: Judgement, position: Position) -> JudgementSnapshot:
        decision = self.decisions.get(row.id)
        known = decision if decision and decision.recorded_at <= position.as_known_on else None
        return JudgementSnapshot(row, known)


def read_recommendation(key: str, position: Position) -> RecommendationSnapshot:
    """One recommendation at a position.

    Raises:
        NotFoundError: There is none with this key, or it was not known then.
    """
    return find_recommendation(read_desk(position), key)


def find_recommendation(desk: Iterable[RecommendationSnapshot], key: str) -> RecommendationSnapshot:
    """One recommendation of a desk.

    Raises:
        NotFoundError: There is none with this key, or it was not known then.
    """
    recommendation = next((known for known in desk if known.key == key), None)
    if recommendation is None:
        raise NotFoundError("There is no such recommendation, or it was not known then.")
    return recommendation


def read_desk(position: Position) -> list[RecommendationSnapshot]:
    """Every recommendation known at a position, in order. The number of statements is fixed."""
    return read_desk_facts(position.as_known_on).desk_at(position)


def read_desk_facts(as_known_on: datetime) -> DeskFacts:
    """Read every fact of the desk recorded by an instant. The number of statements is fixed."""
    rows = {
        kind: list(db.session.scalars(select(kind).where(kind.recorded_at <= as_known_on)))
        for kind in FACT_KINDS
    }
    versions = (
        select(RecommendationVersion)
        .where(RecommendationVersion.recorded_at <= as_known_on)
        .options(defer(RecommendationVersion.content))
        .order_by(RecommendationVersion.number)
    )
    decisions = select(JudgementDecision).where(JudgementDecision.recorded_at <= as_known_on)
    references: dict[tuple[type[Any], int], tuple[str, int]] = {}
    for table in (AssuranceAction, Evidence):
        for row in db.session.execute(select(table.id, table.reference, table.recommendation_id)):
            references[table, row[0]] = (row[1], row[2])
    return DeskFacts(
        {
            recommendation_id: key
            for recommendation_id, key in db.session.execute(select(Recommendation.id, Recommendation.key))
        },
        rows,
        list(db.session.scalars(versions)),
        {row.judgement_id: row for row in db.session.scalars(decisions)},
        references,
        _read_dependencies(),
    )


def _read_dependencies() -> dict[int, list[str]]:
    """The references of the actions that each version of an action waits for."""
    dependencies: dict[int, list[str]] = defaultdict(list)
    rows = db.session.execute(
        select(ActionDependency.action_version_id, AssuranceAction.reference).join(
            AssuranceAction, AssuranceAction.id == ActionDependency.depends_on_id
        )
    )
    for version_id, reference in rows:
        dependencies[version_id].append(reference)
    return dependencies
