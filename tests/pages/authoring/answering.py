"""Attempts at a module, submitted with given choices, straight as rows."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Response, Submission
from portal.domain.catalogue.models import Item, ModuleVersion
from portal.domain.item_kinds import kinds_by_name
from portal.domain.records.models import Registration
from portal.platform.db import db, stamp, transaction
from tests.factories.catalogue import RIGHT

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
Sheet = dict[int, list[str] | None]  # item id -> choices; None: left unanswered


def items_of(version_id: int) -> list[Item]:
    """The items in order."""
    found = select(Item).where(Item.module_version_id == version_id).order_by(Item.position)
    return list(db.session.scalars(found))


def register_person(person: int, version_id: int) -> int:
    """A registration; returns its id."""
    version = db.session.get_one(ModuleVersion, version_id)
    with transaction():
        row = Registration(
            recorded_at=stamp(),
            person_id=person,
            activity_id=version.activity_id,
            module_version_id=version_id,
            started_at=AT,
            started_on=AT.date(),
        )
        db.session.add(row)
        db.session.flush()
        return row.id


def submit_all(registration: int, sheets: list[Sheet], *, first: int = 1, end: bool = True) -> None:
    """One attempt a sheet, each answer saved twice, wrongly before rightly; submitted where ``end``."""
    items = {item.id: item for item in db.session.scalars(select(Item))}
    with transaction():
        stamped = stamp()
        for number, sheet in enumerate(sheets, first):
            attempt = Attempt(
                id=UUID(int=registration * 10_000 + number),
                registration_id=registration,
                number=number,
                mastery_score=Decimal("0.75"),
                drawn=[{"item_id": item, "order": list("abcd")} for item in sheet],
                started_at=AT + timedelta(minutes=number),
                recorded_at=stamped,
            )
            db.session.add(attempt)
            db.session.flush()
            marks = {str(key): str(_mark(items[key], chosen)) for key, chosen in sheet.items()}
            for key, chosen in sheet.items():
                for choices in [] if chosen is None else (["d"], chosen):
                    db.session.add(
                        Response(
                            attempt_id=attempt.id,
                            item_id=key,
                            choices=choices,
                            saved_at=AT,
                            recorded_at=stamped,
                        )
                    )
                    db.session.flush()
            if end:
                db.session.add(
                    Submission(
                        attempt_id=attempt.id,
                        score_raw=sum(map(Decimal, marks.values()), Decimal(0)),
                        score_max=len(marks),
                        mastery_score=Decimal("0.75"),
                        marks=marks,
                        submitted_at=AT,
                        recorded_at=stamped,
                    )
                )


def _mark(item: Item, chosen: list[str] | None) -> Decimal:
    """Half a mark for exactly one of two right choices, as kinds with partial marks give it."""
    if chosen is None:
        return Decimal("0.0000")
    if item.kind not in RIGHT:
        return kinds_by_name()[item.kind].mark_answer(item.content, chosen)
    if chosen == RIGHT[item.kind]:
        return Decimal("1.0000")
    half = item.kind == "multiple" and len(set(chosen) & set(RIGHT[item.kind])) == 1
    return Decimal("0.5000") if half else Decimal("0.0000")


def random_sheets(items: list[Item], count: int, chance: random.Random) -> list[Sheet]:
    """So many attempts of four items each, answered the better the abler who answers."""
    sheets: list[Sheet] = []
    for _ in range(count):
        able = chance.random()
        sheets.append({item.id: _chosen(item, able, chance) for item in chance.sample(items, 4)})
    return sheets


def _chosen(item: Item, able: float, chance: random.Random) -> list[str]:
    if chance.random() < able:
        return list(RIGHT[item.kind])
    return ["a", "b"] if item.kind == "multiple" else [chance.choice("acd")]
