"""The time that a test moves, and passes to be told of."""

from datetime import date

import pytest

from tests.domain.status.facts import make_activity, make_record
from tests.factories.people import make_person, make_unit
from tests.features.webhooks.receiving import NOON


@pytest.fixture
def at(time_machine):
    """Move the time to an instant."""

    def move(instant):
        time_machine.move_to(instant, tick=False)

    move(NOON)
    return move


@pytest.fixture
def passes():
    """Passes of people of one unit: each call records one."""
    unit, activity = make_unit("North"), make_activity()
    people = {}

    def record(staff_number="W1"):
        person = people.setdefault(staff_number, 0) or make_person(unit, staff_number=staff_number)
        people[staff_number] = person
        return make_record(person, activity, date(2026, 4, 1))

    record("W1")
    return record
