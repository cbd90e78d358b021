"""Reading of proposals with the names of who proposed and who ended them, whatever is proposed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from portal.domain.people.models import PersonName


@dataclass(frozen=True, slots=True)
class ProposalLine:
    """A proposal as lists and its own page show it; each kind adds what is proposed."""

    id: int
    note: str
    proposed_by_id: int
    proposed_by: str
    proposed_at: datetime
    ended_at: datetime | None
    ended_as: str | None  # published, sent_back, withdrawn; None: it has not ended
    ended_by: str
    reason: str


def select_proposals(kind: Any, *columns: Any) -> Select[Any]:
    """Select proposals of a table: the fields of ``ProposalLine`` in their order, then these columns."""
    author, decider = aliased(PersonName), aliased(PersonName)
    return (
        select(
            kind.id,
            kind.note,
            kind.proposed_by_id,
            func.coalesce(author.full_name, "Erased"),
            kind.proposed_at,
            kind.ended_at,
            kind.ended_as,
            func.coalesce(decider.full_name, "Erased"),
            kind.reason,
            *columns,
        )
        .outerjoin(author, author.person_id == kind.proposed_by_id)
        .outerjoin(decider, decider.person_id == kind.ended_by_id)
    )
