"""A small force with one directive and its history, for the tests of monitoring.

It is written at three instants: what was known on 1 March, on 20 April, and from 10 May, when a pass of
April reached the portal late.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime

import time_machine

from portal.domain.accounts import services
from portal.domain.directives.models import Directive
from portal.platform import clock
from portal.platform.db import transaction
from tests.domain.status.facts import (
    add,
    make_activity,
    make_exclusion,
    make_module_version,
    make_record,
    make_start,
    make_version,
)
from tests.factories.people import make_grant, make_person, make_unit
from tests.kept import made_once
from tests.page_reading import PortalClient
from tests.pages.account.browsing import PASSWORD, let_in

MARCH = datetime(2026, 3, 1, 9, tzinfo=UTC)
APRIL = datetime(2026, 4, 20, 9, tzinfo=UTC)
MAY = datetime(2026, 5, 10, 9, tzinfo=UTC)
TODAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
DUE = date(2026, 4, 30)
REPORT = "/monitoring/directives/OIC-2026"


@dataclass
class World:
    """Ids of everything a test may name."""

    units: dict[str, int] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    activities: dict[int, int] = field(default_factory=dict)
    directive: int = 0
    version: int = 0  # of the first module

    def person(self, staff_number: str, unit: str, manager: str | None = None, **more: str) -> int:
        held = self.people.get(manager) if manager else None
        person = make_person(self.units[unit], staff_number=staff_number, manager=held, **more)
        self.people[staff_number] = person
        return person


@made_once
def make_world(*, late_import: bool = True) -> World:
    """The force of this module's description."""
    world = World()
    with time_machine.travel(MARCH, tick=False):
        _force(world)
        _directive(world)
    with time_machine.travel(APRIL, tick=False):
        for activity in world.activities.values():
            make_record(world.people["N1"], activity, date(2026, 4, 18))
        make_start(world.people["D1001"], world.activities[1], world.version, date(2026, 4, 19))
        make_exclusion(world.people["S2"], world.directive, date(2026, 4, 1))
    if not late_import:
        return world
    with time_machine.travel(MAY, tick=False):
        for activity in world.activities.values():
            make_record(world.people["C1"], activity, date(2026, 4, 29))
    return world


def _force(world: World) -> None:
    force = world.units["force"] = make_unit("Westshire Police")
    local = world.units["local"] = make_unit("Local Policing", force)
    world.units["north"] = make_unit("Response, North", local)
    world.units["south"] = make_unit("Response/South", local)
    world.units["crime"] = make_unit("Crime", force)
    person = world.person
    person("D2001", "north", rank="Sergeant", surname="Okafor", forenames="Daniel", role="supervision")
    person("D2002", "crime", rank="Sergeant", surname="Frost", forenames="Lena", role="supervision")
    person("D2003", "local", rank="Inspector", surname="Hale", forenames="Ruth", role="supervision")
    person("D6001", "force", rank="Staff", surname="Auditor", forenames="Ada", role="audit")
    person("D1001", "north", "D2001", surname="Shah", forenames="Priya")
    person("N1", "north", "D2001", surname="Brennan", forenames="Siobhan")
    person("N2", "north", surname="Castell", forenames="Imogen", rank="Sergeant")
    person("S1", "south", surname="=Whitlock", forenames="@James")
    person("S2", "south", surname="Parry", forenames="Elin")
    person("C1", "crime", "D2002", surname="O'Brien", forenames="Tom", role="investigation")
    make_grant(world.people["D2001"], "manager")
    make_grant(world.people["D2002"], "manager", world.units["crime"])
    make_grant(world.people["D2003"], "manager", world.units["local"])
    make_grant(world.people["D6001"], "auditor")


def _directive(world: World) -> None:
    world.activities = {1: make_activity(), 2: make_activity()}
    world.version = make_module_version(world.activities[1])
    make_module_version(world.activities[2])
    world.directive = add(Directive(reference="OIC-2026"))
    audience = {"audience": [{"designated_role": ["response", "investigation"]}], "except": []}
    make_version(world.directive, world.activities, effective_on=date(2026, 1, 1), audience=audience)


def enter(client: PortalClient, world: World, staff_number: str) -> PortalClient:
    """Sign the person in, with a password of their own."""
    with transaction():
        services.set_password(world.people[staff_number], PASSWORD, clock.now())
    let_in(client, staff_number)
    return client
