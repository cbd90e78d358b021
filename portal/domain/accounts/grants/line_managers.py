"""Line managers who see their direct reports without a grant, worked out from today's roster."""

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from portal.domain.accounts.grants.authority import is_in_administration
from portal.domain.accounts.grants.grant_list import GrantFilters, GrantRow
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.name_search import name_conditions
from portal.domain.people.queries import Viewer, live_units, units_under
from portal.domain.people.units.search import find_current_unit
from portal.domain.people.visibility.rules import is_line_manager, is_valid_on
from portal.platform.db import db
from portal.platform.permissions import Role

_direct_report: Any = aliased(Post)


def count_line_managers(viewer: Viewer, day: date) -> int:
    """Count the line managers with a post on ``day`` whose accounts the viewer may look at. One statement."""
    statement = select(func.count()).select_from(PersonName).where(is_line_manager(PersonName.person_id, day))
    return db.session.scalar(statement.where(*_visible_with_post(viewer, day))) or 0


def list_line_managers(viewer: Viewer, filters: GrantFilters, day: date) -> list[GrantRow]:
    """Those line managers as rows of the grant list. Two statements at most, three with a unit.

    Raises:
        NotFoundError: No unit has the path or name of the filter.
        RuleError: Several units have the name.
    """
    if filters.role not in {"", Role.MANAGER}:
        return []
    named_by = (
        _direct_report.line_manager_id == PersonName.person_id,
        _direct_report.person_id != PersonName.person_id,
    )
    conditions: list[ColumnElement[bool]] = [
        is_known_fact(_direct_report),
        is_valid_on(_direct_report, day),
        *name_conditions(filters.q),
    ]
    if filters.unit:
        unit_id = find_current_unit(filters.unit, live_units(day))
        conditions.append(_direct_report.unit_id.in_(sorted(units_under(unit_id, day))))
    name = (PersonName.staff_number, PersonName.surname, PersonName.forenames)
    rows = db.session.execute(
        select(*name, func.min(_direct_report.valid_from), func.min(_direct_report.recorded_at))
        .join(_direct_report, named_by[0] & named_by[1])
        .where(*conditions, *_visible_with_post(viewer, day))
        .group_by(*name)
    )
    return [_grant_row(*row) for row in rows]


def _visible_with_post(viewer: Viewer, day: date) -> Iterable[ColumnElement[bool]]:
    """WHERE clauses: the viewer may look at the account of the person, who has a post on the day."""
    with_post = select(Post.person_id).where(is_known_fact(Post), is_valid_on(Post, day))
    person_id = PersonName.person_id
    return is_in_administration(person_id, viewer), person_id.in_(with_post)


def _grant_row(staff_number: str, surname: str, forenames: str, since: date, recorded_at: Any) -> GrantRow:
    return GrantRow(
        staff_number=staff_number,
        name=f"{surname}, {forenames}",
        role="Manager",
        where="Direct reports",
        since=since,
        until=None,
        given_by="The roster",
        given_at=recorded_at,
        ended_by="",
        ended_at=None,
        over=False,
    )
