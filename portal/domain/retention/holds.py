"""Legal holds: what they cover, placing one and lifting it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, select, text, union
from sqlalchemy.orm import aliased

from portal.domain.people.models import PersonName, Post, UnitState
from portal.domain.people.notes import notes_of, write_notes
from portal.domain.people.queries import live_units
from portal.domain.retention.classes import BY_KEY, class_of_key
from portal.domain.retention.models import LegalHold, LegalHoldEnd
from portal.domain.retention.stores import People, has_row
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.errors import ConflictError, NotFoundError, RuleError

PERSON, UNIT, CLASS = "person", "unit", "class"
_STANDS = ~exists().where(LegalHoldEnd.hold_id == LegalHold.id)


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold for a page."""

    uuid: UUID
    scope: str  # PERSON, UNIT or CLASS
    about: str  # name and staff number, the unit's name, or the title of the class
    reason: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: str
    class_key: str | None  # of a hold on a class


def take_turn() -> None:
    """Wait for whoever places a hold or removes rows; held to the end of the transaction."""
    if db.engine.dialect.name == "postgresql":  # on SQLite nobody else writes meanwhile
        db.session.execute(text("SELECT pg_advisory_xact_lock(7241080)"))


def held_people() -> People | None:
    """The people whom a standing hold on a person or a unit covers; None if no such hold stands.

    A hold on a unit covers everybody who was ever recorded in it, or in a unit that was ever below it.
    """
    rows = db.session.execute(select(LegalHold.person_id, LegalHold.unit_id).where(_STANDS)).all()
    units = {row.unit_id for row in rows if row.unit_id is not None}
    if not units and all(row.person_id is None for row in rows):
        return None
    named = select(LegalHold.person_id).where(_STANDS, LegalHold.person_id.is_not(None))
    posted = select(Post.person_id).where(Post.unit_id.in_(sorted(_units_ever_below(units))))
    return union(named, posted)


def _units_ever_below(units: Collection[int]) -> set[int]:
    below = set(units)
    edges = db.session.execute(select(UnitState.unit_id, UnitState.parent_id)).all() if units else []
    while more := {unit for unit, parent in edges if parent in below} - below:
        below |= more
    return below


def is_class_held(key: str) -> bool:
    """Whether a standing hold covers the whole class."""
    return bool(db.session.scalar(select(exists().where(LegalHold.class_key == key, _STANDS))))


def is_person_held(person_id: int, class_keys: Collection[str]) -> bool:
    """Whether a standing hold covers the person, or any of these classes."""
    return not list_unheld([person_id], class_keys)


def list_unheld(person_ids: Collection[int], class_keys: Collection[str]) -> list[int]:
    """Those of these people whose data of these classes no standing hold covers."""
    if any(map(is_class_held, class_keys)):
        return []
    people = held_people()
    held = set() if people is None else set(db.session.scalars(people))
    return [person_id for person_id in person_ids if person_id not in held]


def place_hold(scope: str, subject: int | str, reason: str, *, by: int, at: datetime) -> UUID:
    """Keep everything of a person, a unit or a class until the hold is lifted.

    Args:
        scope: PERSON, UNIT or CLASS.
        subject: The id of the person or unit, or the key of the class.
        reason: Why.
        by: Who places it.
        at: Now.

    Raises:
        RuleError: There is no reason.
    """
    _require_reason(reason)
    if scope == CLASS:
        class_of_key(str(subject))
    take_turn()
    column = {PERSON: "person_id", UNIT: "unit_id", CLASS: "class_key"}[scope]
    values: dict[str, Any] = {column: subject}
    hold = LegalHold(**values, placed_by_id=by, placed_at=at)
    db.session.add(hold)
    db.session.flush()
    write_notes(LegalHold.__tablename__, hold.id, {"reason": reason.strip()})
    log("hold.placed", actor_id=by, subject_id=hold.person_id, scope=scope, **_detail(hold))
    return hold.uuid


def lift_hold(uuid: UUID, reason: str, *, by: int, at: datetime) -> None:
    """Lift a hold.

    Raises:
        NotFoundError: There is none.
        ConflictError: It was lifted already.
        RuleError: There is no reason.
    """
    _require_reason(reason)
    take_turn()
    hold = db.session.scalar(select(LegalHold).where(LegalHold.uuid == uuid))
    if hold is None:
        raise NotFoundError("There is no such hold.")
    if db.session.scalar(select(has_row(LegalHoldEnd.hold_id, hold.id))):
        raise ConflictError("This hold was lifted already. Nothing was changed.")
    db.session.add(LegalHoldEnd(hold_id=hold.id, lifted_by_id=by, lifted_at=at))
    write_notes(LegalHoldEnd.__tablename__, hold.id, {"reason": reason.strip()})
    scope = PERSON if hold.person_id else UNIT if hold.unit_id else CLASS
    log("hold.lifted", actor_id=by, subject_id=hold.person_id, scope=scope, **_detail(hold))


def _detail(hold: LegalHold) -> dict[str, Any]:
    return (
        {"unit_id": hold.unit_id}
        if hold.unit_id
        else {"kept_class": BY_KEY[hold.class_key].title}
        if hold.class_key
        else {}
    )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise RuleError("Enter a reason")


def list_holds(today: datetime) -> list[HoldRow]:
    """Every hold: those that stand first, the newest first."""
    units = {unit_id: unit.label for unit_id, unit in live_units(london_day(today)).items()}
    rows = db.session.execute(_select_holds()).all()
    placed = notes_of(LegalHold.__tablename__, [row.id for row in rows])
    lifted = notes_of(LegalHoldEnd.__tablename__, [row.id for row in rows])
    return [_hold_row(row, units, placed, lifted) for row in rows]


def _select_holds() -> Any:
    about, placer, lifter = aliased(PersonName), aliased(PersonName), aliased(PersonName)
    hold, end = LegalHold, LegalHoldEnd
    statement = select(
        hold.id, hold.uuid, hold.person_id, hold.unit_id, hold.class_key, hold.placed_at, end.lifted_at,
        about.full_name.label("about"), about.staff_number, placer.full_name.label("placed_by"),
        lifter.full_name.label("lifted_by"),
    ).outerjoin(end, end.hold_id == hold.id)  # fmt: skip
    statement = statement.outerjoin(about, about.person_id == hold.person_id)
    statement = statement.outerjoin(placer, placer.person_id == hold.placed_by_id)
    statement = statement.outerjoin(lifter, lifter.person_id == end.lifted_by_id)
    return statement.order_by(end.lifted_at.is_not(None), hold.id.desc())


def _hold_row(
    row: Row[Any], units: dict[int, str], placed: dict[int, Any], lifted: dict[int, Any]
) -> HoldRow:
    if row.person_id is not None:
        scope, about = PERSON, f"{row.about} ({row.staff_number})" if row.about else "Erased"
    elif row.unit_id is not None:
        scope, about = UNIT, units.get(row.unit_id, "A unit that no longer exists")
    else:
        scope, about = CLASS, BY_KEY[row.class_key].title if row.class_key in BY_KEY else row.class_key
    return HoldRow(
        uuid=row.uuid,
        scope=scope,
        about=about,
        reason=placed.get(row.id, {}).get("reason", ""),
        placed_by=row.placed_by or "Erased",
        placed_at=row.placed_at,
        lifted_by=(row.lifted_by or "Erased") if row.lifted_at else None,
        lifted_at=row.lifted_at,
        lift_reason=lifted.get(row.id, {}).get("reason", ""),
        class_key=row.class_key,
    )
