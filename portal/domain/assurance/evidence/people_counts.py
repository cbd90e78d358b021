"""Counts people in post, and of them those who have a record of an activity, at many positions.

Posts and records are read once, and positions are looked at in memory: the board looks at dozens of them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.orm import aliased

from portal.domain.assurance.evidence.positions import PieceAtPosition, WholeForce
from portal.domain.assurance.evidence.shares import Population
from portal.domain.catalogue.models import Activity, GuideVersion
from portal.domain.people.as_of import choose_known_rows
from portal.domain.records.models import Acknowledgement, Record, Revocation
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.platform.db import db

ATTENDED = ("attended", "imported", "external")  # sources of a record that say that somebody was there
_LaterRecord, _LaterRevocation = aliased(Record), aliased(Revocation)
Rows = Sequence[tuple[Any, ...]]


def count_shares(field: str, pieces: Sequence[PieceAtPosition], force: WholeForce) -> list[Share]:
    """The people in post of each piece's population, and of them those who have a record of its activity.

    Two statements, and one for the posts, however many pieces and positions there are.

    Args:
        field: Of the definitions, with the key of the activity: "guide" or "event_type".
        pieces: Each with its position.
        force: Everybody at those positions.

    Returns:
        The shares in the order of the pieces.
    """
    if not pieces:
        return []
    keys = sorted({str(pair.piece.version.definition[field]) for pair in pieces})
    facts = _RecordFacts(_read_records(field, keys), _read_revocations(keys))
    shares = []
    for pair in pieces:
        definition, position = pair.piece.version.definition, pair.position
        in_post = force.list_in_post(Population.from_json(definition), position)
        holders = facts.list_holders(definition[field], definition.get("version", 0), position)
        shares.append(Share(len(in_post & holders), len(in_post)))
    return shares


@dataclass(frozen=True, slots=True)
class _RecordFacts:
    """Records and revocations, in rows as ``choose_known_rows`` takes them."""

    records: Rows
    revocations: Rows

    def list_holders(self, key: str, number: int, position: Position) -> set[int]:
        """The people with a record of an activity, from a version on, that counts at a position."""
        day, at = position.as_at, position.as_known_on
        revoked = {
            record_id for record_id, from_on, *_ in choose_known_rows(self.revocations, at) if from_on <= day
        }
        return {
            person_id
            for activity, version, record_id, person_id, achieved_on, *_ in choose_known_rows(
                self.records, at
            )
            if activity == key and version >= number and achieved_on <= day and record_id not in revoked
        }


def _read_records(field: str, keys: Collection[str]) -> Rows:
    """Records of activities; of guides with the version that was read, of events version 0."""
    version = GuideVersion.number if field == "guide" else literal(0)
    columns: tuple[Any, ...] = (
        Activity.key,
        version,
        Record.id,
        Record.person_id,
        Record.achieved_on,
        Record.recorded_at,
        _LaterRecord.recorded_at,
    )
    statement = (
        select(*columns)
        .join(Record, Record.activity_id == Activity.id)
        .outerjoin(_LaterRecord, _LaterRecord.replaces_id == Record.id)
        .where(Activity.key.in_(keys), Record.void.is_(False))
    )
    if field == "guide":
        statement = (
            statement.where(Activity.kind == "guide")
            .join(Acknowledgement, Acknowledgement.record_id == Record.id)
            .join(GuideVersion, GuideVersion.id == Acknowledgement.guide_version_id)
        )
    else:
        statement = statement.where(Activity.kind == "event", Record.source.in_(ATTENDED))
    return [tuple(row) for row in db.session.execute(statement)]


def _read_revocations(keys: Collection[str]) -> Rows:
    """Revocations of records of activities."""
    columns = (
        Revocation.record_id,
        Revocation.from_on,
        Revocation.recorded_at,
        _LaterRevocation.recorded_at,
    )
    statement = (
        select(*columns)
        .join(Record, Record.id == Revocation.record_id)
        .join(Activity, Activity.id == Record.activity_id)
        .outerjoin(_LaterRevocation, _LaterRevocation.replaces_id == Revocation.id)
        .where(Activity.key.in_(keys), Revocation.void.is_(False))
    )
    return [tuple(row) for row in db.session.execute(statement)]
