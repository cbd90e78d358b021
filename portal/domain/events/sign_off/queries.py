"""Reads how people at an event were signed off, who did it, and with which record."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from portal.domain.events.models import AttendanceOutcome
from portal.domain.events.sign_off.reasons import describe_outcome
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName
from portal.domain.records.models import Record
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class OutcomeRow:
    """How a person was signed off, as it holds now."""

    outcome: str
    reason: str
    signed_off_by_id: int
    signed_off_by: str
    signed_off_on: date
    reference: str  # of the attendance record; "" without one
    corrected: bool

    @property
    def words(self) -> str:
        """The outcome with its reason."""
        return describe_outcome(self.outcome, self.reason)


def list_outcomes(event_id: int) -> dict[int, OutcomeRow]:
    """How each person at an event was signed off. One statement."""
    rows = db.session.execute(
        select(AttendanceOutcome, PersonName.forenames, PersonName.surname, Record.reference)
        .outerjoin(PersonName, PersonName.person_id == AttendanceOutcome.signed_off_by_id)
        .outerjoin(Record, Record.id == AttendanceOutcome.record_id)
        .where(AttendanceOutcome.event_id == event_id, is_known_fact(AttendanceOutcome))
    )
    return {
        row.person_id: OutcomeRow(
            outcome=row.outcome,
            reason=row.reason,
            signed_off_by_id=row.signed_off_by_id,
            signed_off_by=f"{forenames} {surname}" if surname else "somebody whose name was erased",
            signed_off_on=row.signed_off_on,
            reference=reference or "",
            corrected=row.replaces_id is not None,
        )
        for row, forenames, surname, reference in rows
    }
