"""The people to whom an administrator gives one role at once, read from a list of staff numbers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, or_, select

from portal.domain.accounts.grants.authority import people_administered
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.name_search import name_conditions
from portal.domain.people.queries import Viewer, live_units
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.clock import london_day, now
from portal.platform.db import db
from portal.platform.errors import BadInputError
from portal.platform.permissions import Role
from portal.platform.wording import number

MOST = 500  # people who are given a role at once
MOST_FOUND = 50  # people of one search


@dataclass(frozen=True, slots=True)
class Receiver:
    """A person who is to be given a role, and the last day of the same role there if they have it."""

    person_id: int
    staff_number: str
    name: str
    current_until: date | None


def find_people(viewer: Viewer, text: str) -> list[tuple[str, str]]:
    """Staff numbers and names of at most ``MOST_FOUND`` people by name, number or unit. Two statements.

    Args:
        viewer: The administrator; only people whose accounts they may change are found, not themselves.
        text: Words of the name, the number, or a part of a unit's label.
    """
    n, today = PersonName, london_day(now())
    units = [i for i, unit in live_units(today).items() if text.casefold() in unit.label.casefold()]
    in_units = select(Post.person_id).where(
        Post.unit_id.in_(units), is_known_fact(Post), is_valid_on(Post, today)
    )
    rows = db.session.execute(
        select(n.staff_number, n.surname, n.forenames)
        .where(or_(and_(*name_conditions(text)), n.person_id.in_(in_units)))
        .where(n.person_id.in_(people_administered(viewer)), n.person_id != viewer.person_id)
        .order_by(n.surname, n.forenames, n.staff_number)
        .limit(MOST_FOUND)
    )
    return [(staff_number, f"{surname}, {forenames}") for staff_number, surname, forenames in rows]


def read_receivers(viewer: Viewer, lines: Sequence[str], role: Role, unit_id: int | None) -> list[Receiver]:
    """The people with these staff numbers, each once, in the order of the lines. At most two statements.

    Args:
        viewer: The administrator; only people whose accounts they may change are known.
        lines: Staff numbers; a line may be empty.
        role: To be given.
        unit_id: Where; None without a unit.

    Raises:
        BadInputError: One reason for each bad line, with its number.
    """
    numbers = {n: line.strip() for n, line in enumerate(lines, 1) if line.strip()}
    if len(set(numbers.values())) > MOST:
        raise BadInputError([f"Enter at most {number(MOST)} staff numbers."])
    people = _find_people(viewer, sorted(set(numbers.values())), role, unit_id)
    faults = []
    for line, staff_number in numbers.items():
        if staff_number == viewer.staff_number:
            faults.append(f"Line {line}: you cannot give yourself a role.")
        elif staff_number not in people:
            faults.append(f"Line {line}: {staff_number} is nobody whose account you may change.")
    if faults or not numbers:
        raise BadInputError(faults or ["Enter at least one staff number."])
    return [people[staff_number] for staff_number in dict.fromkeys(numbers.values())]


def _find_people(
    viewer: Viewer, numbers: Sequence[str], role: Role, unit_id: int | None
) -> dict[str, Receiver]:
    n, g = PersonName, RoleGrant
    has_it = and_(
        g.person_id == n.person_id,
        g.role == str(role),
        g.unit_id.is_(None) if unit_id is None else g.unit_id == unit_id,
        is_valid_on(g, london_day(now())),
        g.ended_at.is_(None),
    )
    rows = db.session.execute(
        select(n.person_id, n.staff_number, n.surname, n.forenames, g.valid_to)
        .outerjoin(g, has_it)
        .where(n.staff_number.in_(numbers), n.person_id.in_(people_administered(viewer)))
        .order_by(g.valid_to)
    )
    return {
        staff_number: Receiver(person_id, staff_number, f"{surname}, {forenames}", until)
        for person_id, staff_number, surname, forenames, until in rows
    }
