"""A fictional force without a database, for the stories that features tell of it."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass
class StoryForce:
    """What a feature's story needs of the force; see ``portal.feature.ForceInMaking``."""

    today: date
    first_day: date
    people: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    planned: list[Any] = field(default_factory=list)
    name: str = "Westshire Police"
    days: dict[date, list[Callable[[], None]]] = field(default_factory=lambda: defaultdict(list))
    at_event: list[Callable[..., None]] = field(default_factory=list)

    def pass_days(self, last: date) -> None:
        """Do what happens on the days up to one."""
        for day in sorted(day for day in self.days if day <= last):
            for act in self.days.pop(day):
                act()
