"""Former names and parents of units, so that an old path still finds its unit."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import select

from portal.domain.people.models import UnitState
from portal.platform.db import db


class FormerUnits:
    """Every state of every unit that was ever recorded, replaced ones too."""

    def __init__(self, states: Iterable[tuple[int, str, int | None, date]]) -> None:
        self._named: dict[str, set[int]] = defaultdict(set)
        self._parents: dict[int, set[int | None]] = defaultdict(set)
        self._newest: dict[int, date] = {}
        for unit_id, name, parent_id, valid_from in states:
            self._named[name].add(unit_id)
            self._parents[unit_id].add(parent_id)
            self._newest[unit_id] = max(valid_from, self._newest.get(unit_id, valid_from))

    def find_unit(self, names: Sequence[str], among: Iterable[int] | None = None) -> int | None:
        """The unit that these names ever led to; of several, the one changed last.

        The names need not have been valid on the same day: if a unit was renamed, and another below it is
        new, both names of the upper one lead to the lower one.

        Args:
            names: From the force down.
            among: Only of these units; None: of all.
        """
        matching: set[int | None] = {None}
        for name in names:
            matching = {unit for unit in self._named.get(name, ()) if self._parents[unit] & matching}
        units = {unit for unit in matching if unit is not None}
        allowed = units if among is None else units.intersection(among)
        return max(allowed, key=lambda unit: (self._newest[unit], unit), default=None)

    def units_above(self, units: Iterable[int]) -> set[int]:
        """These units and every unit that was ever above one of them."""
        lineage: set[int] = set()
        waiting = list(units)
        while waiting:
            unit_id = waiting.pop()
            if unit_id not in lineage:
                lineage.add(unit_id)
                waiting += [unit for unit in self._parents.get(unit_id, ()) if unit is not None]
        return lineage


def read_former_units() -> FormerUnits:
    """Read every state of every unit, in one statement."""
    columns = (UnitState.unit_id, UnitState.name, UnitState.parent_id, UnitState.valid_from)
    return FormerUnits(
        (unit, name, above, since) for unit, name, above, since in db.session.execute(select(*columns))
    )
