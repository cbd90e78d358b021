"""Four eyes: what one person proposes, and a second one publishes or sends back.

The rules are the same whatever is proposed; each kind has a table of its own. Every decision takes the stamp
first: of two at once, the second finds that the proposal has ended.
"""

from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import ColumnElement, ForeignKey, func, select
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, NotFoundError, RuleError

ENDS = {"published": "published", "sent_back": "sent back", "withdrawn": "withdrawn"}
LONGEST_NOTE = 1_000  # characters of what is new, and of the reason for which it is sent back


class ProposalColumns:
    """The columns that a table of proposals has after those of what is proposed."""

    note: Mapped[str] = mapped_column(sort_order=1)  # why, in the author's words
    proposed_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"), sort_order=2)
    proposed_at: Mapped[datetime] = mapped_column(sort_order=3)
    ended_at: Mapped[datetime | None] = mapped_column(sort_order=4)
    ended_as: Mapped[str | None] = mapped_column(sort_order=5)  # one of ``ENDS``
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), sort_order=6)
    reason: Mapped[str] = mapped_column(sort_order=7)  # why it was sent back; "" until then


class NewestVersion(Protocol):
    """The columns that a table of published versions has."""

    number: Any
    published_at: Any


Proposal = TypeVar("Proposal", bound=ProposalColumns)


def count_waiting(kind: type[Proposal], person_id: int, *conditions: ColumnElement[bool]) -> int:
    """How many proposals wait that a person may decide: those of others. One statement."""
    waiting = select(func.count()).select_from(kind).where(kind.ended_at.is_(None), *conditions)
    return db.session.scalar(waiting.where(kind.proposed_by_id != person_id)) or 0


def lock_proposal(kind: type[Proposal], proposal_id: int) -> Proposal:
    """The proposal that waits, held to the end of the transaction."""
    stamp()
    proposal = db.session.get(kind, proposal_id, populate_existing=True)
    if proposal is None:
        raise NotFoundError("There is no such proposal.")
    if proposal.ended_as is not None:
        raise ConflictError(f"This proposal has been {ENDS[proposal.ended_as]} already.")
    return proposal


def refuse_publishing(proposal: ProposalColumns, by: int, current: NewestVersion | None) -> None:
    """Refuse whoever may not publish a proposal, and a proposal that a newer version has overtaken."""
    if proposal.proposed_by_id == by:
        raise RuleError("You proposed this yourself. Somebody else must read and publish it.")
    if current is not None and current.published_at >= proposal.proposed_at:
        raise ConflictError(
            f"Version {current.number} was published after this was proposed. Send it back, so that its"
            " author can look at both."
        )


def refuse_sending_back(proposal: ProposalColumns, by: int) -> None:
    """Refuse to send back what one proposed."""
    if proposal.proposed_by_id == by:
        raise RuleError("You proposed this yourself. Withdraw it instead.")


def refuse_withdrawing(proposal: ProposalColumns, by: int) -> None:
    """Refuse to withdraw what somebody else proposed."""
    if proposal.proposed_by_id != by:
        raise RuleError("Only its author can withdraw a proposal. Send it back instead.")


def end_proposal(proposal: ProposalColumns, ended_as: str, *, by: int, at: datetime) -> None:
    """End a proposal that waits, as one of ``ENDS``."""
    proposal.ended_at, proposal.ended_as, proposal.ended_by_id = at, ended_as, by
    db.session.flush()
