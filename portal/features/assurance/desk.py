"""The desk at a position: each recommendation with its owner, actions, evidence and judgement.

Every fact of the desk is read once, and positions are looked at in memory: there are few of them, and pages
such as the board look at many positions.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import defer

from portal.domain.people.positions import choose_known, is_known_fact
from portal.domain.reports.parameters import Position
from portal.features.assurance.models import (
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
from portal.platform import clock
from portal.platform.clock import london_day
from portal.platform.db import Fact, db
from portal.platform.errors import NotFoundError

# What a piece of evidence shows at a position, and whether it still holds.


@dataclass(frozen=True, slots=True)
class EvidenceState:
    """A piece of evidence, read at a position.

    Attributes:
        reference: Such as E-0001.
        title: What it is, in its author's words.
        kind: One of ``EVIDENCE_KINDS``.
        shown: What it shows, as a short sentence: "241 of 310 people attended (77.7%)".
        reached: The numerator of a figure; None where the kind has no figure.
        total: The denominator of a figure; None where the kind has no figure.
        threshold: The share that the figure must reach, from 0 to 1; None where none is set.
        faults: Why it no longer holds, a sentence each: below its threshold, past its review date, a broken
            link …; empty: it holds.
        definition: What is counted and how, as pairs of term and meaning.
        address: Where a person sees what is behind it, within the portal or on the web; "" for nowhere.
        digest: The SHA-256 of its document, or of the text of its statement; "" for other kinds.
    """

    reference: str
    title: str
    kind: str
    shown: str
    reached: int | None = None
    total: int | None = None
    threshold: Decimal | None = None
    faults: tuple[str, ...] = ()
    definition: tuple[tuple[str, str], ...] = ()
    address: str = ""
    digest: str = ""

    @property
    def holds(self) -> bool:
        """Whether it may be relied on at its position."""
        return not self.faults

    def to_json(self) -> dict[str, Any]:
        """As a judgement keeps it and as a pack writes it."""
        return {
            "reference": self.reference,
            "title": self.title,
            "kind": self.kind,
            "shown": self.shown,
            "reached": self.reached,
            "total": self.total,
            "threshold": None if self.threshold is None else str(self.threshold),
            "faults": list(self.faults),
            "definition": [list(pair) for pair in self.definition],
            "address": self.address,
            "digest": self.digest,
        }

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> "EvidenceState":
        """Read back what ``to_json`` wrote."""
        threshold = values["threshold"]
        return cls(
            **{
                **values,
                "threshold": None if threshold is None else Decimal(threshold),
                "faults": tuple(values["faults"]),
                "definition": tuple((term, meaning) for term, meaning in values["definition"]),
            }
        )


# Which of several dated facts holds at a position: of those known, the one from the latest day.

Dated = TypeVar("Dated", bound=Fact)


def list_held_facts(fact: type[Dated], position: Position, *conditions: ColumnElement[bool]) -> list[Dated]:
    """The facts of a class that are known at a position and hold from its day or an earlier one.

    Args:
        fact: A class with ``from_on``.
        position: As at which day, as known on which instant.
        conditions: Which facts; all of them unless given.

    Returns:
        The latest day last; of one day, the one recorded last. One statement.
    """
    from_on = fact.from_on  # type: ignore[attr-defined]
    statement = (
        select(fact)
        .where(is_known_fact(fact, position.as_known_on), from_on <= position.as_at, *conditions)
        .order_by(from_on, fact.recorded_at, fact.id)
    )
    return list(db.session.scalars(statement))


def read_held_by_subject(
    fact: type[Dated], key: str, position: Position, *conditions: ColumnElement[bool]
) -> dict[int, Dated]:
    """The fact that holds of each thing at a position, by the id of the thing. One statement.

    Args:
        fact: A class with ``from_on``.
        key: The column with the id of what the fact is about, such as ``action_id``.
        position: As at which day, as known on which instant.
        conditions: Which facts; all of them unless given.
    """
    return {getattr(row, key): row for row in list_held_facts(fact, position, *conditions)}


def choose_held_facts(rows: Iterable[Dated], position: Position) -> list[Dated]:
    """The same of facts that have been read: those that ``list_held_facts`` would list, in its order.

    Args:
        rows: Facts of one class, with those that replace them.
        position: As at which day, as known on which instant.
    """
    known = choose_known(rows, position.as_known_on)
    facts = [row for row in known if _first_day(row) <= position.as_at]
    return sorted(facts, key=lambda row: (_first_day(row), row.recorded_at, row.id))


def choose_held_by_subject(rows: Iterable[Dated], key: str, position: Position) -> dict[int, Dated]:
    """The same of facts that have been read: what ``read_held_by_subject`` would read."""
    return {getattr(row, key): row for row in choose_held_facts(rows, position)}


def _first_day(row: Any) -> date:
    day: date = row.from_on
    return day


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
    """One recommendation at a position."""
    return find_recommendation(read_desk(position), key)


def find_recommendation(desk: Iterable[RecommendationSnapshot], key: str) -> RecommendationSnapshot:
    """One recommendation of a desk."""
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


# How a recommendation came to be as it is: every entry with both of its times, the latest first.
#
# Entries that were corrected or taken back stay in the list, and say so.

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
