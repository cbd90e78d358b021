"""Finding a unit by what somebody types: its path, now or before, or its name where no other unit has it."""

from collections.abc import Mapping

from portal.domain.people.queries import UnitRow
from portal.domain.people.units import paths
from portal.domain.people.units.former_names import read_former_units
from portal.platform.errors import NotFoundError, RuleError


def find_current_or_former_unit(text: str, units: Mapping[int, UnitRow]) -> int:
    """As ``find_current_unit``; a path that no unit has today leads to the one of ``units`` that had it.

    Raises:
        NotFoundError: None has or had it.
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
    """The unit of ``units`` that has this path or, alone, this name; large and small letters are the same.

    Raises:
        NotFoundError: None has it.
        RuleError: Several units have this name.
    """
    wanted = text.strip().casefold()
    found = [unit_id for unit_id, unit in units.items() if unit.path.casefold() == wanted]
    if not found:
        found = [unit_id for unit_id, unit in units.items() if unit.name.casefold() == wanted]
    if not found:
        raise NotFoundError(f"No unit has the path or name “{text.strip()}” today.")
    if len(found) > 1:
        raise RuleError(
            f"{len(found)} units have the name “{text.strip()}”. Write the whole path, such as "
            f"“{min(units[unit_id].path for unit_id in found)}”."
        )
    return found[0]
