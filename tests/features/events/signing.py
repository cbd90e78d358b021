"""What the tests of running an event share: an event, its facilitators and its people, signed in."""

from dataclasses import dataclass, field

from flask import Flask

from portal.domain.accounts import services as accounts
from portal.domain.people.models import PersonName
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.features.events.worlds import HeldWorld, make_held_event
from tests.page_reading import PortalClient
from tests.pages.account.browsing import PASSWORD, another, let_in


@dataclass
class RunningEvent:
    """An event with people, and a browser for whoever needs one."""

    app: Flask
    world: HeldWorld
    browsers: dict[int, PortalClient] = field(default_factory=dict)

    @property
    def root(self) -> str:
        return f"/events/{self.world.reference}"

    def browser_of(self, person: int) -> PortalClient:
        """A browser in which this person is signed in."""
        if person not in self.browsers:
            with transaction():
                accounts.set_password(person, PASSWORD, clock.now())
            self.browsers[person] = another(self.app)
            let_in(self.browsers[person], number_of(person))
        return self.browsers[person]

    @property
    def facilitator(self) -> PortalClient:
        return self.browser_of(self.world.facilitator)


def make_running_event(app: Flask, places: int = 3) -> RunningEvent:
    return RunningEvent(app, make_held_event(places))


def number_of(person: int) -> str:
    return db.session.get_one(PersonName, person).staff_number
