"""Acknowledgements of the demo: by people who are in post, of the plan as it was published."""

from datetime import UTC, date, datetime, time

import pytest
import time_machine
from sqlalchemy import select

from portal.demo.force import PlannedPerson, PlannedPost
from portal.domain.records.models import Record
from portal.features.force_plan.demo import READER, WRITER, schedule_plan, schedule_reading
from portal.platform.db import OPEN_END, db, transaction
from tests.factories.demo import StoryForce
from tests.factories.people import make_person
from tests.features.assurance.factories import make_recommendation

TODAY = date(2026, 11, 28)


@pytest.mark.slow
def test_people_acknowledge_guides_while_they_are_in_post(database: None) -> None:
    with time_machine.travel(datetime(2025, 9, 4, 9, tzinfo=UTC), tick=False):
        make_recommendation("plan")
        planned = [PlannedPerson(f"W{number}", "North", "Alan") for number in range(40)]
        people = {WRITER: make_person(), READER: make_person()}
        people |= {person.staff_number: make_person() for person in planned}
    left, joined = date(2026, 2, 1), date(2026, 5, 1)
    for number, person in enumerate(planned):
        since, until = (date(2025, 1, 1), left) if number % 2 else (joined, OPEN_END)
        person.posts.append(PlannedPost("Response", "response", "Constable", since, until))
    force = StoryForce(TODAY, TODAY, people, planned=planned)

    schedule_plan(force)
    schedule_reading(force)
    for day, acts in sorted(force.days.items()):
        with transaction(stamp_as=datetime.combine(day, time(19, 30), UTC)):
            for act in acts:
                act()

    records = db.session.scalars(select(Record)).all()
    assert {record.source for record in records} == {"acknowledged"}
    assert 15 < len(records) <= 40
    by_id = {people[person.staff_number]: person.posts[0] for person in planned}
    assert all(
        by_id[record.person_id].since <= record.achieved_on <= by_id[record.person_id].until
        for record in records
    )
