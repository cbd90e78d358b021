"""People, units, posts and grants as facts, in the test's own transaction."""

from datetime import UTC, date, datetime
from itertools import count

from sqlalchemy import select

from portal.domain.people.models import Person, PersonName, Post, RoleGrant, Unit, UnitState
from portal.platform.db import OPEN_END, db, stamp, touch, transaction

_numbers = count(1)


def make_unit(name: str, parent: int | None = None, *, since: date = date(2020, 1, 1)) -> int:
    """A unit with one state; returns its id."""
    with transaction():
        at = stamp()
        unit = Unit(recorded_at=at)
        db.session.add(unit)
        db.session.flush()
        db.session.add(
            UnitState(
                recorded_at=at,
                unit_id=unit.id,
                name=name,
                parent_id=parent,
                valid_from=since,
                valid_to=OPEN_END,
            )
        )
        return unit.id


def make_person(
    unit: int | None = None,
    *,
    staff_number: str = "",
    surname: str = "Shah",
    forenames: str = "Priya",
    role: str = "response",
    rank: str = "Constable",
    since: date = date(2024, 1, 1),
    until: date = OPEN_END,
    manager: int | None = None,
) -> int:
    """A person with a name and, where ``unit`` is given, a main post; returns the id."""
    staff_number = staff_number or f"T{next(_numbers):04d}"
    with transaction():
        at = stamp()
        person = Person(recorded_at=at)
        db.session.add(person)
        db.session.flush()
        email = f"{staff_number.lower()}@westshire.example"
        db.session.add(
            PersonName(
                person_id=person.id,
                staff_number=staff_number,
                surname=surname,
                forenames=forenames,
                email=email,
            )
        )
        if unit is not None:
            db.session.add(
                Post(
                    recorded_at=at,
                    person_id=person.id,
                    post_key="",
                    rank_or_grade=rank,
                    designated_role=role,
                    unit_id=unit,
                    line_manager_id=manager,
                    valid_from=since,
                    valid_to=until,
                )
            )
            touch(people=[person.id])
        return person.id


def change_role(person: int, role: str, rank: str = "Constable") -> None:
    """Correct the role and rank of somebody's one post, as of its first day."""
    with transaction():
        at = stamp()
        post = db.session.scalars(
            select(Post).where(Post.person_id == person).order_by(Post.id.desc()).limit(1)
        ).one()
        kept = ("person_id", "post_key", "unit_id", "line_manager_id", "valid_from", "valid_to")
        values = {name: getattr(post, name) for name in kept}
        values |= {"designated_role": role, "rank_or_grade": rank}
        db.session.add(Post(recorded_at=at, replaces_id=post.id, **values))
        touch(people=[person])


def make_grant(person: int, role: str, unit: int | None = None) -> None:
    """A role grant, live for ever."""
    with transaction():
        db.session.add(
            RoleGrant(
                person_id=person,
                role=role,
                unit_id=unit,
                valid_from=date(2020, 1, 1),
                valid_to=OPEN_END,
                given_at=datetime(2020, 1, 1, tzinfo=UTC),
            )
        )
