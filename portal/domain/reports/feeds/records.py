"""Records of people whom a viewer may see, in the order recorded, as known on an instant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion, ModuleVersion
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName
from portal.domain.people.queries import Viewer
from portal.domain.people.visibility.rules import is_visible
from portal.domain.records.models import (
    Acknowledgement,
    AttendanceRecord,
    ImportedRecord,
    PassRecord,
    Record,
    Revocation,
)
from portal.domain.records.queries import drop_unknown_time, scale_score
from portal.domain.reports.parameters import Position
from portal.platform.db import db
from portal.platform.errors import NotFoundError


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """Proof that a person achieved a requirement, as it was known."""

    reference: str
    staff_number: str
    requirement_kind: str
    requirement: str
    achieved_at: datetime
    achieved_on: date
    source: str
    source_system: str | None
    version: int | None
    score_scaled: Decimal | None
    mastery_score: Decimal | None
    revoked_from: date | None  # the first day on which it no longer counts
    recorded_at: datetime

    @property
    def achieved_when(self) -> date | datetime:
        """When it was achieved; only the day, where no time of day was given."""
        return drop_unknown_time(self.achieved_at, self.source)


def list_feed_records(viewer: Viewer, position: Position, after: str, limit: int) -> list[FeedRecord]:
    """The next ``limit`` records after the one with a reference. Three statements at most.

    Records achieved after the day as_at are left out.
    """
    statement = _select_records(viewer, position).order_by(Record.id).limit(limit)
    if after:
        known = select(Record.id).where(
            Record.reference == after, is_known_fact(Record, position.as_known_on)
        )
        statement = statement.where(Record.id > known.scalar_subquery())
    return _build_records(db.session.execute(statement), position)


def get_feed_record(viewer: Viewer, position: Position, reference: str) -> FeedRecord:
    """The record with this reference.

    Raises:
        NotFoundError: There is none, it was not known then, or the viewer may not see its person.
    """
    statement = _select_records(viewer, position).where(Record.reference == reference)
    records = _build_records(db.session.execute(statement), position)
    if not records:
        raise NotFoundError("There is no such record.")
    return records[0]


def _select_records(viewer: Viewer, position: Position) -> Select[Any]:
    """Known records with what proves them: a correction keeps the proof of the row it replaces."""
    original = aliased(Record)
    first = (original.reference == Record.reference, original.replaces_id.is_(None))
    columns: tuple[Any, ...] = (
        Record.reference,
        PersonName.staff_number,
        Activity.kind,
        Activity.key,
        Record.achieved_at,
        Record.achieved_on,
        Record.source,
        ImportedRecord.source_system,
        func.coalesce(ModuleVersion.number, GuideVersion.number, EventTypeVersion.number),
        PassRecord.score_raw,
        PassRecord.score_max,
        ImportedRecord.score_scaled,
        PassRecord.mastery_score,
        Record.recorded_at,
    )
    return (
        select(*columns)
        .join(PersonName, PersonName.person_id == Record.person_id)
        .join(Activity, Activity.id == Record.activity_id)
        .join(original, first[0] & first[1])
        .outerjoin(PassRecord, PassRecord.record_id == original.id)
        .outerjoin(ModuleVersion, ModuleVersion.id == PassRecord.module_version_id)
        .outerjoin(Acknowledgement, Acknowledgement.record_id == original.id)
        .outerjoin(GuideVersion, GuideVersion.id == Acknowledgement.guide_version_id)
        .outerjoin(AttendanceRecord, AttendanceRecord.record_id == original.id)
        .outerjoin(EventTypeVersion, EventTypeVersion.id == AttendanceRecord.event_type_version_id)
        .outerjoin(ImportedRecord, ImportedRecord.record_id == original.id)
        .where(
            is_known_fact(Record, position.as_known_on),
            Record.achieved_on <= position.as_at,
            is_visible(Record.person_id, viewer),
        )
    )


def _build_records(rows: Iterable[Any], position: Position) -> list[FeedRecord]:
    all_rows = list(rows)
    revoked_from = _read_revocations([row.reference for row in all_rows], position)
    records = []
    for *first, raw, maximum, imported, mastery, recorded_at in all_rows:
        score = imported if raw is None else scale_score(raw, maximum)
        values = (*first, score, mastery, revoked_from.get(first[0]), recorded_at)
        records.append(FeedRecord(*values))
    return records


def _read_revocations(references: list[str], position: Position) -> dict[str, date]:
    """The first day on which a record no longer counts, by reference, which a correction keeps."""
    rows = db.session.execute(
        select(Record.reference, func.min(Revocation.from_on))
        .join(Record, Record.id == Revocation.record_id)
        .where(
            Record.reference.in_(references),
            is_known_fact(Revocation, position.as_known_on),
            Revocation.from_on <= position.as_at,
        )
        .group_by(Record.reference)
    )
    return {reference: from_on for reference, from_on in rows}
