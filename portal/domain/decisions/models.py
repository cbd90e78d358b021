"""Tables of requests and decisions: who asked for and decided what, and when. Free text is in notes."""

from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId
from portal.platform.errors import ConflictError, RuleError
from portal.platform.wording import instant


class DecisionRequest(Base):
    """A request about a person; append-only. Dates are those requested.

    Requests with the same ``joint_uuid`` were made together and can be decided together.
    """

    __tablename__ = "decision_request"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('exemption', 'deferral', 'waiver', 'revocation', 'lift', 'restore')",
            name="kind_is_known",
        ),
        Index("ix_decision_request_person_id_kind", "person_id", "kind"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]  # the transaction's stamp
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    kind: Mapped[str]
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))  # the person it is about
    asked_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    reason: Mapped[str]  # a category, never free text
    directive_id: Mapped[int | None] = mapped_column(ForeignKey("directive.id"))
    activity_id: Mapped[int | None] = mapped_column(ForeignKey("activity.id"))  # of a waiver
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))  # to be revoked, or restored
    exclusion_id: Mapped[int | None] = mapped_column(ForeignKey("exclusion.id"))  # to be lifted
    revocation_id: Mapped[int | None] = mapped_column(ForeignKey("revocation.id"))  # to be undone
    from_on: Mapped[date | None]  # first day; of a waiver the day on the evidence
    to_on: Mapped[date | None]  # last day; None for a lift: it should not have been recorded
    due_on: Mapped[date | None]  # of a deferral
    joint_uuid: Mapped[UUID | None] = mapped_column(index=True)


class Decision(Base):
    """The one answer to a request; append-only. Dates are those granted; ids name the facts written."""

    __tablename__ = "decision"
    __table_args__ = (
        CheckConstraint("outcome IN ('granted', 'refused', 'withdrawn')", name="outcome_is_known"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]  # the transaction's stamp
    request_id: Mapped[int] = mapped_column(ForeignKey("decision_request.id"), unique=True)
    outcome: Mapped[str]
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    from_on: Mapped[date | None]
    to_on: Mapped[date | None]
    due_on: Mapped[date | None]
    exclusion_id: Mapped[int | None] = mapped_column(ForeignKey("exclusion.id"))
    record_id: Mapped[int | None] = mapped_column(ForeignKey("record.id"))
    revocation_id: Mapped[int | None] = mapped_column(ForeignKey("revocation.id"))


# Refusals of requests and decisions, in sentences for a page.


class DecidedAlreadyError(ConflictError):
    """Decision on, or withdrawal of, a request that has been answered, perhaps just now."""

    def __init__(self, outcome: str, by: str, at: datetime) -> None:
        super().__init__(f"This request was {outcome} by {by} at {instant(at)}. Nothing was changed.")


class WaitingAlreadyError(ConflictError):
    """A request that someone has already made."""

    def __init__(self, by: str, at: datetime) -> None:
        super().__init__(f"{by} asked for this at {instant(at)}. It is waiting for a decision.")


class SecondPersonError(RuleError):
    """Decision by the person who asked, where a second person must decide."""

    def __init__(self) -> None:
        super().__init__("You asked for this yourself. A second person must decide it.")


class OwnMatterError(RuleError):
    """Decision about oneself."""

    def __init__(self) -> None:
        super().__init__("This request is about you. Someone else must decide it.")


class NotYoursError(RuleError):
    """Withdrawal of a request by someone who did not make it."""

    def __init__(self) -> None:
        super().__init__("Only the person who asked can withdraw a request.")


class FaultyError(RuleError):
    """A request with faults, which the form would have shown beside its fields."""
