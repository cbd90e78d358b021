"""Tables of the assurance desk: recommendations, actions, evidence, judgements, and the published plan.

Every fact has a day from which it holds (``from_on``) and the stamp at which it was recorded, so that the
desk can be read as at any date and as known on any instant.
"""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId, Fact

ACTION_STATES = ("open", "under_way", "done", "dropped")
EVIDENCE_KINDS = ("figure", "acknowledgements", "attendance", "samples", "document", "link", "statement")
JUDGEMENTS = ("met", "partly_met", "not_met", "not_judged")


class Recommendation(Base):
    """The lasting identity of one recommendation of an inspection; append-only."""

    __tablename__ = "recommendation"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    key: Mapped[str] = mapped_column(unique=True)  # the name of its file


class RecommendationVersion(Fact):
    """A published version of a recommendation's file; of those published by a day the highest counts."""

    __tablename__ = "recommendation_version"
    __table_args__ = (UniqueConstraint("recommendation_id", "number"),)

    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"))
    number: Mapped[int]
    digest: Mapped[str]  # SHA-256 of content
    content: Mapped[bytes] = mapped_column(LargeBinary)  # the file, byte for byte
    title: Mapped[str]
    source: Mapped[str]  # the report it is from
    addressee: Mapped[str]
    wording: Mapped[str]  # as far as it is public
    deadline_on: Mapped[date]
    place: Mapped[int]  # its place in lists, from 1
    published_at: Mapped[datetime]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: the command line


class RecommendationOwner(Fact):
    """Who owns a recommendation from a day on; the latest day counts."""

    __tablename__ = "recommendation_owner"

    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)
    from_on: Mapped[date]
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: nobody
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class AssuranceAction(Base):
    """The lasting identity of something that the force does about a recommendation; append-only."""

    __tablename__ = "assurance_action"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    reference: Mapped[str] = mapped_column(unique=True)  # A-0001, counted
    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)


class ActionVersion(Fact):
    """What an action is, whose, until when and how far, from a day on; the latest day counts."""

    __tablename__ = "action_version"
    __table_args__ = (
        CheckConstraint("state IN ('open', 'under_way', 'done', 'dropped')", name="state_is_known"),
    )

    action_id: Mapped[int] = mapped_column(ForeignKey("assurance_action.id"), index=True)
    from_on: Mapped[date]
    title: Mapped[str]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    due_on: Mapped[date | None]
    state: Mapped[str]
    reason: Mapped[str]  # why it was changed; "" of the first
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class ActionDependency(Base):
    """An action waits for another, as one of its versions says; append-only as that version."""

    __tablename__ = "action_dependency"

    action_version_id: Mapped[int] = mapped_column(ForeignKey("action_version.id"), primary_key=True)
    depends_on_id: Mapped[int] = mapped_column(
        ForeignKey("assurance_action.id"), primary_key=True, index=True
    )


class AssuranceDecision(Fact):
    """A decision of the force about a recommendation."""

    __tablename__ = "assurance_decision"

    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)
    from_on: Mapped[date]  # when it was decided
    title: Mapped[str]
    text: Mapped[str]
    decided_by: Mapped[str]  # a post or a meeting, not a name
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class RiskAssessment(Fact):
    """What may go wrong with a recommendation, from a day on; the latest day counts."""

    __tablename__ = "risk_assessment"
    __table_args__ = (
        CheckConstraint("likelihood BETWEEN 1 AND 5", name="likelihood_is_on_the_scale"),
        CheckConstraint("impact BETWEEN 1 AND 5", name="impact_is_on_the_scale"),
    )

    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)
    from_on: Mapped[date]
    likelihood: Mapped[int]
    impact: Mapped[int]
    text: Mapped[str]
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Narrative(Fact):
    """The force's answer in words, with fields that fill from evidence; the latest day counts."""

    __tablename__ = "narrative"

    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)
    from_on: Mapped[date]
    text: Mapped[str]  # Markdown
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class Evidence(Base):
    """The lasting identity of a piece of evidence for a recommendation; append-only."""

    __tablename__ = "evidence"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    reference: Mapped[str] = mapped_column(unique=True)  # E-0001, counted
    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)


class EvidenceVersion(Fact):
    """What a piece of evidence is, and when it is reviewed, from a day on; the latest day counts."""

    __tablename__ = "evidence_version"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('figure', 'acknowledgements', 'attendance', 'samples', 'document', 'link',"
            " 'statement')",
            name="kind_is_known",
        ),
    )

    evidence_id: Mapped[int] = mapped_column(ForeignKey("evidence.id"), index=True)
    from_on: Mapped[date]
    title: Mapped[str]
    kind: Mapped[str]
    definition: Mapped[dict[str, Any]] = mapped_column(JSON)  # of its kind: what is counted, the threshold …
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    review_on: Mapped[date | None]
    withdrawn: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str]  # why it was changed or withdrawn; "" of the first
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class EvidenceDocument(Base):
    """A document that is evidence, kept by its hash; append-only."""

    __tablename__ = "evidence_document"

    digest: Mapped[str] = mapped_column(primary_key=True)  # SHA-256 of content
    recorded_at: Mapped[datetime]
    file_name: Mapped[str]
    media_type: Mapped[str]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class EvidenceLinkCheck(Base):
    """Whether a page that is evidence answered when the portal asked; append-only."""

    __tablename__ = "evidence_link_check"
    __table_args__ = (Index("ix_evidence_link_check_address", "address", "checked_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    address: Mapped[str]
    checked_at: Mapped[datetime]
    fault: Mapped[str]  # "" if it answered


class Judgement(Fact):
    """Whether a recommendation is met, in one person's judgement; it counts once a second confirms it."""

    __tablename__ = "judgement"
    __table_args__ = (
        CheckConstraint("state IN ('met', 'partly_met', 'not_met', 'not_judged')", name="state_is_known"),
    )

    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"), index=True)
    from_on: Mapped[date]  # the as_at of its figures
    as_known_on: Mapped[datetime]  # of its figures
    state: Mapped[str]
    reason: Mapped[str]
    figures: Mapped[list[dict[str, Any]]] = mapped_column(
        JSON
    )  # each piece of evidence, frozen with its definition
    made_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class JudgementDecision(Base):
    """A second person confirms a judgement or sends it back, or its author withdraws it; append-only."""

    __tablename__ = "judgement_decision"
    __table_args__ = (
        CheckConstraint("outcome IN ('confirmed', 'sent_back', 'withdrawn')", name="outcome_is_known"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    judgement_id: Mapped[int] = mapped_column(ForeignKey("judgement.id"), unique=True)
    decided_on: Mapped[date]  # London day
    outcome: Mapped[str]
    reason: Mapped[str]  # "" where it was confirmed
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class PlanVersion(Fact):
    """A published version of the force's plan, with the guide that shows it to officers."""

    __tablename__ = "plan_version"
    __table_args__ = (UniqueConstraint("recommendation_id", "number"),)

    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"))
    number: Mapped[int]
    from_on: Mapped[date]  # London day on which it was published
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # the answers, by the template's keys
    review_on: Mapped[date]
    guide_version_id: Mapped[int] = mapped_column(ForeignKey("guide_version.id"))
    published_at: Mapped[datetime]
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    published_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
