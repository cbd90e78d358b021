"""The kinds acknowledgements and attendance: of the people in post, how many have such a record.

They count people whether or not a directive asks them; what a directive asks is a figure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, literal, select, union_all

from portal.domain.assurance.desk import HeldEvidence
from portal.domain.assurance.entering import EntryRefusedError
from portal.domain.assurance.evidence.shares import (
    Population,
    describe_share,
    parse_population,
    parse_threshold,
    whole_force,
)
from portal.domain.assurance.evidence_state import EvidenceState
from portal.domain.catalogue.event_types import current_event_type
from portal.domain.catalogue.guide_publishing import current_guide
from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.domain.records.models import Acknowledgement, Record, Revocation
from portal.domain.reports.parameters import Position
from portal.domain.reports.statistics import Share
from portal.domain.reports.viewer_scope import ViewerScope, units_under
from portal.platform.db import db

ATTENDED = ("attended", "imported", "external")  # sources of a record that say that somebody was there
IN_POST = "Everybody with a post on this day."


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


def check_acknowledgements(pieces: Sequence[HeldEvidence], position: Position) -> list[EvidenceState]:
    """How many people in post acknowledged a guide, by the day of a position. Three statements at most."""
    titles = _read_titles(GuideVersion, "guide", pieces, position)
    shares = _count_shares("guide", pieces, position)
    states = []
    for piece, share in zip(pieces, shares, strict=True):
        key, number = piece.version.definition["guide"], piece.version.definition["version"]
        definition = (
            ("Guide", titles.get(key, key)),
            ("Acknowledged", f"Stated to have read version {number} or a later one, by this day."),
            ("People", Population.from_json(piece.version.definition).words),
            ("Counted", IN_POST),
        )
        states.append(describe_share(piece, share, "acknowledged it", definition, f"/guides/{key}"))
    return states


def check_attendance(pieces: Sequence[HeldEvidence], position: Position) -> list[EvidenceState]:
    """How many people in post attended an event type, by the day of a position. Three statements at most."""
    titles = _read_titles(EventTypeVersion, "event_type", pieces, position)
    shares = _count_shares("event_type", pieces, position)
    states = []
    for piece, share in zip(pieces, shares, strict=True):
        key = piece.version.definition["event_type"]
        definition = (
            ("Event", titles.get(key, key)),
            ("Attended", "Attendance was signed off, or entered from elsewhere, by this day."),
            ("People", Population.from_json(piece.version.definition).words),
            ("Counted", IN_POST),
        )
        states.append(describe_share(piece, share, "attended", definition, f"/events/types/{key}"))
    return states


def _parse_share(values: Mapping[str, str], position: Position) -> dict[str, str]:
    threshold = parse_threshold(values.get("threshold", ""))
    return {"threshold": str(threshold), **parse_population(values, position).to_json()}


def _read_titles(
    table: type[GuideVersion | EventTypeVersion],
    field: str,
    pieces: Sequence[HeldEvidence],
    position: Position,
) -> dict[str, str]:
    """The title of each activity by its key, of the newest version known then."""
    keys = sorted({piece.version.definition[field] for piece in pieces})
    rows = db.session.execute(
        select(Activity.key, table.title)
        .join(table, table.activity_id == Activity.id)
        .where(Activity.key.in_(keys), table.recorded_at <= position.as_known_on)
        .order_by(table.number)
    )
    return {key: title for key, title in rows}


def _count_shares(field: str, pieces: Sequence[HeldEvidence], position: Position) -> list[Share]:
    """The share of each piece, in their order. One statement for all, and one for units."""
    if not pieces:
        return []
    viewer_scope = whole_force(position)
    counts = [
        _select_share(place, field, piece.version.definition, viewer_scope)
        for place, piece in enumerate(pieces)
    ]
    rows: Sequence[Any] = db.session.execute(select(union_all(*counts).subquery())).all()
    shares = {row[0]: Share(row[1], row[2]) for row in rows}
    return [shares[place] for place in range(len(pieces))]


def _select_share(
    place: int, field: str, definition: Mapping[str, Any], viewer_scope: ViewerScope
) -> Select[Any]:
    people = _select_people(Population.from_json(definition), viewer_scope)
    held = _select_holders(field, definition, viewer_scope.position)
    done = func.coalesce(func.sum(case((people.c.person_id.in_(held), 1), else_=0)), 0)
    return select(literal(place), done, func.count(people.c.person_id))


def _select_people(population: Population, viewer_scope: ViewerScope) -> Any:
    """The people of a population who are in post at the position."""
    position = viewer_scope.position
    conditions: list[ColumnElement[bool]] = [
        is_known_fact(Post, position.as_known_on),
        Post.valid_from <= position.as_at,
        Post.valid_to >= position.as_at,
    ]
    if population.unit:
        top = viewer_scope.unit_of(population.unit)
        within = units_under(viewer_scope.units, top) if top is not None else set()
        conditions.append(Post.unit_id.in_(sorted(within)))
    if population.role:
        conditions.append(Post.designated_role == population.role)
    if population.rank:
        conditions.append(Post.rank_or_grade.in_(population.filters.ranks))
    return select(Post.person_id).where(*conditions).distinct().subquery()


def _select_holders(field: str, definition: Mapping[str, Any], position: Position) -> Select[int]:
    """The people with a record of the activity that counts at the position."""
    revoked = select(Revocation.id).where(
        Revocation.record_id == Record.id,
        Revocation.from_on <= position.as_at,
        is_known_fact(Revocation, position.as_known_on),
    )
    statement = (
        select(Record.person_id)
        .join(Activity, Activity.id == Record.activity_id)
        .where(
            Activity.key == definition[field],
            Activity.kind == ("guide" if field == "guide" else "event"),
            Record.achieved_on <= position.as_at,
            is_known_fact(Record, position.as_known_on),
            ~revoked.correlate(Record).exists(),
        )
    )
    if field != "guide":
        return statement.where(Record.source.in_(ATTENDED))
    return (
        statement.join(Acknowledgement, Acknowledgement.record_id == Record.id)
        .join(GuideVersion, GuideVersion.id == Acknowledgement.guide_version_id)
        .where(GuideVersion.number >= definition["version"])
    )
