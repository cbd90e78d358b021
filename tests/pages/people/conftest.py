"""A relay, and a force whose administrator invites people: for the tests of invitations."""

from collections.abc import Iterator

import pytest
import time_machine
from flask import Flask

from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.post_office import Office
from tests.page_reading import PortalClient
from tests.pages.people.inviting import NOON, Force, enter, make_force


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """Noon of a working day, within the hours of mail."""
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def office(app: Flask, database: None, clock: time_machine.Traveller) -> Iterator[Office]:
    """A relay that the portal uses."""
    with set_office(app) as opened:
        yield opened


@pytest.fixture
def force(office: Office) -> Force:
    """Two units with a person in each state."""
    return make_force()


@pytest.fixture
def admin(app: Flask, force: Force) -> PortalClient:
    """The browser of the administrator of the whole force."""
    return enter(app)
