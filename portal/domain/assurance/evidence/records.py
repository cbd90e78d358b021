"""The kinds acknowledgements and attendance: of the people in post, how many have such a record.

They count people whether or not a directive asks them; what a directive asks is a figure.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.people_counts import count_shares
from portal.domain.assurance.evidence.positions import PieceAtPosition, WholeForce
from portal.domain.assurance.evidence.shares import (
    Population,
    describe_share,
    parse_population,
    parse_threshold,
)
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.catalogue.event_types import current_event_type
from portal.domain.catalogue.guide_publishing import current_guide
from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion
from portal.domain.reports.parameters import Position
from portal.platform.db import db

IN_POST = "Everybody in this group with a post on this day, whether a directive counts them or not."


def parse_acknowledgements(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's fields give; versions before the one of today do not count.

    Args:
        values: ``guide``: its key; ``unit``, ``role``, ``rank`` and ``threshold``.
        position: Of today.

    Raises:
        EntryRefusedError: There is no such guide, or a field cannot be read.
    """
    key = values.get("guide", "").strip()
    version = current_guide(key)
    if version is None:
        raise EntryRefusedError("guide", "Choose a guide that is published.")
    return {"guide": key, "version": version.number, **_parse_share(values, position)}


def parse_attendance(values: Mapping[str, str], position: Position) -> dict[str, Any]:
    """The definition that a form's fields give.

    Args:
        values: ``event_type``: its key; ``unit``, ``role``, ``rank`` and ``threshold``.
        position: Of today.

    Raises:
        EntryRefusedError: There is no such event type, or a field cannot be read.
    """
    key = values.get("event_type", "").strip()
    if current_event_type(key) is None:
        raise EntryRefusedError("event_type", "Choose an event type that is published.")
    return {"event_type": key, **_parse_share(values, position)}


def check_acknowledgements(pieces: Sequence[PieceAtPosition], force: WholeForce) -> list[EvidenceState]:
    """How many people in post acknowledged a guide, by the day of its position. Four statements."""
    titles = _Titles.read(GuideVersion, "guide", pieces)
    shares = count_shares("guide", pieces, force)
    states = []
    for pair, share in zip(pieces, shares, strict=True):
        piece = pair.piece
        key, number = piece.version.definition["guide"], piece.version.definition["version"]
        definition = (
            ("Guide", titles.title_of(key, pair.position)),
            ("Acknowledged", f"Stated to have read version {number} or a later one, by this day."),
            ("People", Population.from_json(piece.version.definition).words),
            ("Counted", IN_POST),
        )
        states.append(describe_share(piece, share, "acknowledged it", definition, f"/guides/{key}"))
    return states


def check_attendance(pieces: Sequence[PieceAtPosition], force: WholeForce) -> list[EvidenceState]:
    """How many people in post attended an event type, by the day of its position. Four statements."""
    titles = _Titles.read(EventTypeVersion, "event_type", pieces)
    shares = count_shares("event_type", pieces, force)
    states = []
    for pair, share in zip(pieces, shares, strict=True):
        piece = pair.piece
        key = piece.version.definition["event_type"]
        definition = (
            ("Event", titles.title_of(key, pair.position)),
            ("Attended", "Attendance was signed off, or entered from elsewhere, by this day."),
            ("People", Population.from_json(piece.version.definition).words),
            ("Counted", IN_POST),
        )
        states.append(describe_share(piece, share, "attended", definition, f"/events/types/{key}"))
    return states


def _parse_share(values: Mapping[str, str], position: Position) -> dict[str, str]:
    threshold = parse_threshold(values.get("threshold", ""))
    return {"threshold": str(threshold), **parse_population(values, position).to_json()}


@dataclass(frozen=True, slots=True)
class _Titles:
    """The titles of activities by key, each with when it was recorded, the highest number first."""

    by_key: Mapping[str, Sequence[tuple[datetime, str]]]

    @classmethod
    def read(
        cls, table: type[GuideVersion | EventTypeVersion], field: str, pieces: Sequence[PieceAtPosition]
    ) -> "_Titles":
        """Read the titles of the activities of these pieces. One statement."""
        keys = sorted({pair.piece.version.definition[field] for pair in pieces})
        rows = db.session.execute(
            select(Activity.key, table.recorded_at, table.title)
            .join(table, table.activity_id == Activity.id)
            .where(Activity.key.in_(keys))
            .order_by(table.number.desc())
        )
        by_key: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for key, recorded_at, title in rows:
            by_key[key].append((recorded_at, title))
        return cls(by_key)

    def title_of(self, key: str, position: Position) -> str:
        """The title of the newest version that was known at a position; the key if there was none."""
        known = (title for at, title in self.by_key.get(key, ()) if at <= position.as_known_on)
        return next(known, key)
