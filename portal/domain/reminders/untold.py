"""Line managers who got no reminder about overdue people, because they cannot open the report."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, select

from portal.domain.people.models import PersonName, RoleGrant
from portal.domain.people.queries import Viewer, visibility_of
from portal.domain.people.visibility.rules import is_granted_to
from portal.domain.reminders.models import UntoldManager
from portal.platform.db import db
from portal.platform.permissions import SIGHT_ROLES


@dataclass(frozen=True, slots=True)
class UntoldManagerRow:
    """A line manager who got no reminder, because they cannot open the report it links to."""

    staff_number: str
    name: str
    planned_at: datetime
    people: int


def list_untold_managers(viewer: Viewer, day: date) -> list[UntoldManagerRow]:
    """All untold managers by name, except those who were given a role with sight since.

    Their counts include people of any unit, so a viewer who does not see the whole force gets an empty list.
    """
    if not visibility_of(viewer).everyone:
        return []
    given_since = exists().where(
        is_granted_to(UntoldManager.person_id, day),
        RoleGrant.role.in_(sorted(SIGHT_ROLES)),
        RoleGrant.given_at >= UntoldManager.planned_at,
    )
    rows = db.session.execute(
        select(PersonName, UntoldManager)
        .join(UntoldManager, UntoldManager.person_id == PersonName.person_id)
        .where(~given_since)
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
    )
    return [
        UntoldManagerRow(name.staff_number, f"{name.surname}, {name.forenames}", row.planned_at, row.people)
        for name, row in rows
    ]
