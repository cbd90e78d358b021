"""Finds a unit by typed text: its path, current or former, its label, or a name that no other unit has."""

from collections.abc import Mapping

from portal.domain.people.queries import UnitRow
from portal.domain.people.units import paths
from portal.domain.people.units.former_names import read_former_units
from portal.platform.errors import NotFoundError, RuleError


def find_current_or_former_unit(text: str, units: Mapping[int, UnitRow]) -> int:
    """Find a unit as ``find_current_unit`` does, or else by a path that it had before.

    Raises:
        NotFoundError: No unit has or had it.
        RuleError: Several units have this name.
    """
    try:
        return find_current_unit(text, units)
    except NotFoundError:
        try:
            names = paths.split(text.strip())
        except RuleError:
            names = ()
        former = read_former_units().find_unit(names, units) if names else None
        if former is None:
            raise
        return former


def find_current_unit(text: str, units: Mapping[int, UnitRow]) -> int:
    """Find the unit with this path or, if only one has it, this name; letter case does not matter.

    Raises:
        NotFoundError: No unit has it.
        RuleError: Several units have this name.
    """
    name_or_path = text.strip().casefold()
    matching = [unit_id for unit_id, unit in units.items() if unit.path.casefold() == name_or_path]
    if not matching:
        matching = [
            unit_id
            for unit_id, unit in units.items()
            if name_or_path in (unit.name.casefold(), unit.label.casefold())
        ]
    if not matching:
        raise NotFoundError(f"No unit has the path or name “{text.strip()}” today.")
    if len(matching) > 1:
        raise RuleError(
            f"{len(matching)} units have the name “{text.strip()}”. Enter the whole path, such as "
            f"“{min(units[unit_id].path for unit_id in matching)}”."
        )
    return matching[0]
