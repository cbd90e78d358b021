"""Reads the month and the unit that an address of dip samples names."""

import re
from datetime import date

from flask_login import current_user

from portal.domain.dip_samples.units import list_recordable_units, list_viewable_units
from portal.domain.reports.parameters import Position
from portal.platform.errors import NotFoundError

PARENT = {"text": "Dip samples", "href": "/dip-samples"}
_MONTH = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")


def read_month(text: str) -> date | None:
    """The first day of a month that is written as 2026-04; None if the text is no month.

    >>> read_month("2026-04"), read_month("April")
    (datetime.date(2026, 4, 1), None)
    """
    match = _MONTH.fullmatch(text)
    return date(int(match[1]), int(match[2]), 1) if match else None


def require_month(text: str) -> date:
    """The first day of the month in an address.

    Raises:
        NotFoundError: The text is no month.
    """
    month = read_month(text)
    if month is None:
        raise NotFoundError("There is no such month.")
    return month


def require_recordable_unit(unit_id: int) -> str:
    """The label of a unit for which the signed-in person may record.

    Raises:
        NotFoundError: They may not, or there is no such unit.
    """
    return _require_unit(unit_id, list_recordable_units(current_user.viewer))


def require_viewable_unit(unit_id: int, position: Position) -> str:
    """The label of a unit whose samples the signed-in person may see.

    Raises:
        NotFoundError: They may not, or there is no such unit.
    """
    return _require_unit(unit_id, list_viewable_units(current_user.viewer, position))


def _require_unit(unit_id: int, units: dict[int, str]) -> str:
    if unit_id not in units:
        raise NotFoundError("There is no such unit among those that you can see here.")
    return units[unit_id]
