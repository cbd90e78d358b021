"""A person's timeline holds every fact with both times: what holds, and, folded, what was replaced."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.directives.models import Assignment, Exclusion
from portal.domain.people.models import Post
from portal.domain.records.models import Record
from portal.domain.records.services import new_reference
from portal.platform.db import db
from tests.domain.status.facts import add, make_record, make_revocation
from tests.page_reading import words
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.world import TODAY, enter, make_world

pytestmark = pytest.mark.slow

LATER = datetime(2026, 5, 12, 8, 30, tzinfo=UTC)  # 9:30 in London
LAST = datetime(2026, 5, 14, 8, 30, tzinfo=UTC)


@pytest.fixture
def world(client):
    with time_machine.travel(TODAY, tick=False):
        yield make_world()


@pytest.fixture
def auditor(client, world):
    return enter(client, world, "D6001")


def at(instant, write, *arguments, **more):
    with time_machine.travel(instant, tick=False):
        return write(*arguments, **more)


def timelines(auditor, staff_number):
    """The page's entries: those that hold, and those that were replaced."""
    page = auditor.page(f"/people/{staff_number}")
    lists = [[words(entry) for entry in one] for one in page.all("ol", class_="portal-timeline")]
    return (*lists, [], [])[:2]


def record_of(person):
    return db.session.scalars(select(Record).where(Record.person_id == person).order_by(Record.id)).first()


def corrected(row, **changes):
    """Another row of the same fact that replaces this one."""
    kept = {
        c.key: getattr(row, c.key) for c in row.__mapper__.column_attrs if c.key not in {"id", "recorded_at"}
    }
    return type(row)(**{**kept, "replaces_id": row.id, **changes})


def test_a_person_about_whom_nothing_was_replaced_has_one_list(auditor):
    page = auditor.page("/people/S1")

    assert len(page.all("ol", class_="portal-timeline")) == 1
    assert "what was replaced" not in page.text


def test_a_corrected_exclusion_shows_what_it_was_and_what_came_for_it(auditor, world):
    row = exclusion_of(world)
    at(LATER, add, corrected(row, to_on=date(2026, 9, 30)), people=[world.people["S2"]])

    holds, replaced = timelines(auditor, "S2")

    assert [entry for entry in holds if "Exempt" in entry] == [
        "1 April 2026 Exempt from OIC-2026: secondment, until 30 September 2026 "
        "Recorded at 09:30 on 12 May 2026, as a correction of an earlier entry."
    ]
    [was] = [entry for entry in replaced if "Exempt" in entry]
    assert was == (
        "1 April 2026 Exempt from OIC-2026: secondment Recorded at 10:00 on 20 April 2026. "
        "Replaced at 09:30 on 12 May 2026: Exempt from OIC-2026: secondment, until 30 September 2026."
    )


def reads(run):
    return len([statement for statement in run if statement.startswith("SELECT")])


def exclusion_of(world):
    return db.session.scalars(select(Exclusion).where(Exclusion.person_id == world.people["S2"])).one()


def test_a_voided_record_is_told_as_withdrawn_and_is_no_longer_among_what_holds(auditor, world):
    row = record_of(world.people["N1"])
    at(LATER, add, corrected(row, void=True), people=[world.people["N1"]])

    holds, replaced = timelines(auditor, "N1")

    assert not any(row.reference in entry for entry in holds)
    assert [entry for entry in replaced if row.reference in entry] == [
        f"13:00 on 18 April 2026 Completed in another system: x: {row.reference} "
        "Recorded at 10:00 on 20 April 2026. Withdrawn at 09:30 on 12 May 2026."
    ]


def test_a_record_brought_back_after_it_was_withdrawn_shows_all_three(auditor, world):
    person = world.people["N1"]
    row = record_of(person)
    void = at(LATER, add, corrected(row, void=True), people=[person])
    again = corrected(db.session.get(Record, void), void=False, achieved_on=date(2026, 4, 17))
    at(LAST, add, again, people=[person])

    holds, replaced = timelines(auditor, "N1")

    [held] = [entry for entry in holds if row.reference in entry]
    assert "Recorded at 09:30 on 14 May 2026, as a correction" in held
    [was] = [entry for entry in replaced if row.reference in entry]
    assert was.endswith("Withdrawn at 09:30 on 12 May 2026.")


def test_a_revocation_that_was_undone_is_told_with_both_its_times(auditor, world):
    person = world.people["N1"]
    record = record_of(person)
    revoked = at(LATER, make_revocation, person, record.id, date(2026, 4, 18))
    holds, replaced = timelines(auditor, "N1")
    assert any("no longer counts" in entry for entry in holds)
    assert not any("no longer counts" in entry for entry in replaced)
    at(LAST, make_revocation, person, record.id, date(2026, 4, 18), replaces_id=revoked, void=True)

    page = auditor.page("/people/N1")
    holds, replaced = timelines(auditor, "N1")

    assert not any("no longer counts" in entry for entry in holds)
    assert [entry for entry in replaced if "no longer counts" in entry] == [
        f"18 April 2026 x no longer counts: other: {record.reference} "
        "Recorded at 09:30 on 12 May 2026. Withdrawn at 09:30 on 14 May 2026."
    ]
    assert "Restoring a pass" not in page.links


def test_a_revocation_of_a_record_that_was_replaced_says_so(auditor, world):
    person = world.people["N1"]
    record = record_of(person)
    at(LATER, make_revocation, person, record.id, date(2026, 4, 18))
    at(LAST, add, corrected(record, achieved_on=date(2026, 4, 17)), people=[person])

    _, replaced = timelines(auditor, "N1")

    [entry] = [entry for entry in replaced if "no longer counts" in entry]
    assert entry.endswith("The record was replaced or withdrawn.")


def test_a_replaced_post_stays_to_be_seen_and_so_does_the_assignment_that_followed_from_it(auditor, world):
    person = world.people["S1"]
    post = db.session.scalars(select(Post).where(Post.person_id == person)).one()
    at(LATER, add, corrected(post, designated_role="administration"), people=[person])

    holds, replaced = timelines(auditor, "S1")

    [held] = [entry for entry in holds if "Posted to" in entry]
    [was] = [entry for entry in replaced if "Posted to" in entry]
    assert "role administration" in held
    assert "role response" in was
    assert "Replaced at 09:30 on 12 May 2026: Posted to" in was
    ever = db.session.scalars(select(Assignment).where(Assignment.person_id == person)).all()
    told = [entry for entry in (*holds, *replaced) if "Assigned OIC-2026" in entry]
    assert len(told) == len([row for row in ever if not row.void]) > 0
    assert any("Assigned" in entry for entry in replaced)


def test_the_timeline_costs_the_same_however_much_was_replaced(auditor, world):
    auditor.page("/people/S2")
    with statements() as few:
        auditor.page("/people/S2")
    row = exclusion_of(world)
    for day in range(1, 6):
        at(LATER, add, corrected(row, to_on=date(2026, 9, day)), people=[world.people["S2"]])
        row = db.session.scalars(select(type(row)).order_by(type(row).id.desc())).first()

    with statements() as many:
        page = auditor.page("/people/S2")

    assert "corrected entries" in page.text
    assert reads(many) == reads(few) > 0


def test_a_records_own_page_strikes_what_was_replaced(auditor, world):
    person, day, reference = world.people["S1"], date(2026, 4, 18), new_reference()
    made = at(LATER, make_record, person, world.activities[1], day, reference=reference)
    row = db.session.get(Record, made)
    noon = datetime(2026, 4, 17, 12, tzinfo=UTC)
    at(LAST, add, corrected(row, achieved_at=noon, achieved_on=noon.date()), people=[person])

    page = auditor.page(f"/records/{reference}")

    assert [words(one) for one in page.all("s")] == ["passed at 13:00 on 18 April 2026"]
    assert "Replaced at 09:30 on 14 May 2026" in page.text
    assert "Recorded at 09:30 on 14 May 2026: passed at 13:00 on 17 April 2026" in page.text
