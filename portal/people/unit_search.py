"""Finding a unit by what somebody types: its path, or its own name where no other unit has it."""

from collections.abc import Mapping

from portal.errors import NotFoundError, RuleError
from portal.people.queries import UnitRow


def unit_of(text: str, units: Mapping[int, UnitRow]) -> int:
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
