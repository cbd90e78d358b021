"""Forces, periods and returns at a coordinating unit, straight as rows."""

from collections.abc import Mapping
from datetime import date
from itertools import count

from sqlalchemy import select

from portal.features.returns.models import (
    CoordinatedForce,
    ForceDetails,
    ForceKey,
    ForceReturn,
    ReturnFigure,
    ReturnPeriod,
)
from portal.platform.clock import london_day
from portal.platform.db import db, stamp, transaction

Figures = Mapping[tuple[str, str, str], tuple[int | None, int | None, int | None]]
_digests = count(1)


def make_force(
    key: str, name: str = "", headcount: int = 2_000, on: date = date(2026, 1, 1), force: int | None = None
) -> int:
    """A force with its details from a day on; with ``force`` only new details. Returns the force's id."""
    with transaction():
        at = stamp()
        if force is None:
            made = CoordinatedForce(recorded_at=at, key=key)
            db.session.add(made)
            db.session.flush()
            force = made.id
            db.session.add(
                ForceKey(recorded_at=at, force_id=force, from_on=on, public_key="", fingerprint=key)
            )
        words = name or f"{key.title()} Police"
        db.session.add(
            ForceDetails(recorded_at=at, force_id=force, from_on=on, name=words, headcount=headcount)
        )
        return force


def ask_for(period: str, due_on: date, replaces: int | None = None) -> int:
    """A month for which every force is asked. Returns the id of the fact."""
    with transaction():
        row = ReturnPeriod(recorded_at=stamp(), period=period, due_on=due_on, replaces_id=replaces)
        db.session.add(row)
        db.session.flush()
        return row.id


def make_return(
    force: int,
    period: str,
    complete: int | None = 60,
    assigned: int | None = 110,
    excluded: int | None = 10,
    *,
    number: int = 1,
    on: date | None = None,
    replaces: int | None = None,
    more: Figures | None = None,
) -> int:
    """A return of a force, with the counts of the whole directive and ``more`` of parts. Returns its id."""
    with transaction():
        at = stamp()
        key = db.session.scalars(select(ForceKey.id).where(ForceKey.force_id == force)).first()
        row = ForceReturn(
            recorded_at=at,
            force_id=force,
            period=period,
            number=number,
            received_on=on or london_day(at),
            content=b"",
            digest=f"digest-{next(_digests)}",
            key_id=key,
            replaces_id=replaces,
        )
        db.session.add(row)
        db.session.flush()
        figures: Figures = {("", "force", ""): (assigned, excluded, complete), **(more or {})}
        for (requirement, grouping, group), (total, out, done) in figures.items():
            db.session.add(
                ReturnFigure(
                    force_return_id=row.id,
                    requirement=requirement,
                    grouping=grouping,
                    group_name=group,
                    assigned=total,
                    excluded=out,
                    complete=done,
                )
            )
        return row.id


def withdraw_return(return_id: int) -> None:
    """The return was received by mistake: a void row replaces it."""
    with transaction():
        old = db.session.get_one(ForceReturn, return_id)
        row = ForceReturn(
            recorded_at=stamp(),
            force_id=old.force_id,
            period=old.period,
            number=-old.number,
            received_on=old.received_on,
            content=b"",
            digest=f"digest-{next(_digests)}",
            key_id=old.key_id,
            replaces_id=old.id,
            void=True,
        )
        db.session.add(row)
