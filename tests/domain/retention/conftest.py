"""The desk on the first of June, and two administrators."""

import pytest

from portal.platform.permissions import Role
from tests.factories.people import make_grant, make_person
from tests.pages.decisions.desk import NOW, Desk, make_desk


@pytest.fixture
def desk(app, database, time_machine) -> Desk:
    """The desk, with D3001 and D3002, who may ask and approve."""
    time_machine.move_to(NOW, tick=False)
    made = make_desk(app, time_machine.move_to)
    for number in ("D3001", "D3002"):
        made.people[number] = make_person(made.unit, staff_number=number)
        make_grant(made.people[number], Role.ADMINISTRATOR)
    return made
