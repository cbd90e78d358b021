"""The desk at a position: each recommendation with its owner, actions, evidence and judgement."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import select

from portal.domain.assurance.holding import list_held, read_holding
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
from portal.domain.people.as_of import is_known_fact
from portal.domain.reports.parameters import Position
from portal.platform import clock
from portal.platform.db import db
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class HeldAction:
    """An action as it is at a position."""

    reference: str
    version: ActionVersion
    waits_for: tuple[str, ...]  # references of the actions that it depends on


@dataclass(frozen=True, slots=True)
class HeldEvidence:
    """A piece of evidence as it is at a position; ``checks`` says whether it still holds."""

    reference: str
    version: EvidenceVersion


@dataclass(frozen=True, slots=True)
class HeldJudgement:
    """A judgement with what became of it, as far as it is known at a position."""

    judgement: Judgement
    decision: JudgementDecision | None  # None: it waits for a second person

    @property
    def confirmed(self) -> bool:
        """Whether it counts."""
        return self.decision is not None and self.decision.outcome == "confirmed"


@dataclass(frozen=True, slots=True)
class HeldRecommendation:
    """A recommendation at a position, with all that hangs on it; a list is empty where there is nothing."""

    id: int
    key: str
    version: RecommendationVersion
    owner_id: int | None
    actions: tuple[HeldAction, ...]  # by reference
    decisions: tuple[AssuranceDecision, ...]  # the latest first
    evidence: tuple[HeldEvidence, ...]  # by reference, without what is withdrawn
    judgements: tuple[HeldJudgement, ...]  # the latest first
    risk: RiskAssessment | None
    narrative: Narrative | None
    plan: PlanVersion | None

    @property
    def judgement(self) -> HeldJudgement | None:
        """The judgement that counts: the latest confirmed one; None: not judged."""
        return next((held for held in self.judgements if held.confirmed), None)

    @property
    def waiting(self) -> HeldJudgement | None:
        """The judgement that waits for a second person."""
        return next((held for held in self.judgements if held.decision is None), None)

    @property
    def state(self) -> str:
        """One of ``JUDGEMENTS``."""
        return self.judgement.judgement.state if self.judgement else "not_judged"


def read_recommendation(key: str, position: Position) -> HeldRecommendation:
    """One recommendation at a position.

    Raises:
        NotFoundError: There is none with this key, or it was not known then.
    """
    return find_held(read_desk(position), key)


def find_held(desk: Iterable[HeldRecommendation], key: str) -> HeldRecommendation:
    """One recommendation of a desk.

    Raises:
        NotFoundError: There is none with this key, or it was not known then.
    """
    found = next((held for held in desk if held.key == key), None)
    if found is None:
        raise NotFoundError("There is no such recommendation, or it was not known then.")
    return found


def read_desk(position: Position) -> list[HeldRecommendation]:
    """Every recommendation known at a position, in order. The number of statements is fixed."""
    versions = _read_versions(position)
    owners = read_holding(RecommendationOwner, "recommendation_id", position)
    risks = read_holding(RiskAssessment, "recommendation_id", position)
    narratives = read_holding(Narrative, "recommendation_id", position)
    plans = read_holding(PlanVersion, "recommendation_id", position)
    actions, evidence = _read_actions(position), _read_evidence(position)
    judgements = _read_judgements(position)
    decisions = _group_by(list_held(AssuranceDecision, position), "recommendation_id")
    keys = {found: key for found, key in db.session.execute(select(Recommendation.id, Recommendation.key))}
    held = [
        HeldRecommendation(
            id=found,
            key=keys[found],
            version=version,
            owner_id=owners[found].person_id if found in owners else None,
            actions=tuple(actions.get(found, ())),
            decisions=tuple(reversed(decisions.get(found, []))),
            evidence=tuple(evidence.get(found, ())),
            judgements=tuple(judgements.get(found, ())),
            risk=risks.get(found),
            narrative=narratives.get(found),
            plan=plans.get(found),
        )
        for found, version in versions.items()
    ]
    return sorted(held, key=lambda each: (each.version.place, each.key))


def _read_versions(position: Position) -> dict[int, RecommendationVersion]:
    """The version of each recommendation: the newest published by the day, else the first."""
    rows = db.session.scalars(
        select(RecommendationVersion)
        .where(is_known_fact(RecommendationVersion, position.as_known_on))
        .order_by(RecommendationVersion.number)
    )
    end = clock.end_of_day(position.as_at)
    versions: dict[int, RecommendationVersion] = {}
    for row in rows:
        if row.recommendation_id not in versions or row.published_at <= end:
            versions[row.recommendation_id] = row
    return versions


def _read_actions(position: Position) -> dict[int, list[HeldAction]]:
    actions = {row.id: row for row in db.session.scalars(select(AssuranceAction))}
    waits: dict[int, list[str]] = defaultdict(list)
    for version_id, other in db.session.execute(
        select(ActionDependency.action_version_id, ActionDependency.depends_on_id)
    ):
        waits[version_id].append(actions[other].reference)
    held: dict[int, list[HeldAction]] = defaultdict(list)
    for action_id, version in sorted(read_holding(ActionVersion, "action_id", position).items()):
        action = actions[action_id]
        waits_for = tuple(sorted(waits[version.id]))
        held[action.recommendation_id].append(HeldAction(action.reference, version, waits_for))
    return held


def _read_evidence(position: Position) -> dict[int, list[HeldEvidence]]:
    pieces = {row.id: row for row in db.session.scalars(select(Evidence))}
    held: dict[int, list[HeldEvidence]] = defaultdict(list)
    for evidence_id, version in sorted(read_holding(EvidenceVersion, "evidence_id", position).items()):
        if not version.withdrawn:
            piece = pieces[evidence_id]
            held[piece.recommendation_id].append(HeldEvidence(piece.reference, version))
    return held


def _read_judgements(position: Position) -> dict[int, list[HeldJudgement]]:
    """The judgements of each recommendation, the latest first, without those sent back or withdrawn."""
    known = select(JudgementDecision).where(JudgementDecision.recorded_at <= position.as_known_on)
    decisions = {row.judgement_id: row for row in db.session.scalars(known)}
    held = [HeldJudgement(row, decisions.get(row.id)) for row in list_held(Judgement, position)]
    kept = [each for each in reversed(held) if each.decision is None or each.confirmed]
    grouped: dict[int, list[HeldJudgement]] = defaultdict(list)
    for each in kept:
        grouped[each.judgement.recommendation_id].append(each)
    return grouped


Row = TypeVar("Row")


def _group_by(rows: Iterable[Row], column: str) -> dict[int, Sequence[Row]]:
    grouped: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[getattr(row, column)].append(row)
    return dict(grouped)
