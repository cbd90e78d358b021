"""What follows from a large roster is written ahead of it: nobody sees any of it before, and all after."""

from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from portal.domain.catalogue.models import ModuleVersion
from portal.domain.directives.models import Assignment
from portal.domain.imports import columns, services, staged
from portal.domain.imports.services import Upload
from portal.domain.people.models import Person, PersonName, Post, Unit, UnitState
from portal.domain.status import projection_rows, recording
from portal.domain.status.models import StatusPeriod
from portal.platform.db import db, newest_stamp, read_stamps
from portal.platform.jobs.models import CancelledError
from portal.platform.tables.table_files import open_sheet
from tests.domain.imports.desk import csv_of
from tests.domain.imports.rosters import row
from tests.domain.status.facts import make_record
from tests.domain.status.test_ahead import check_all, known_on
from tests.factories.catalogue import make_version
from tests.factories.people import make_person
from tests.pages.learning.asking import ask

pytestmark = pytest.mark.slow
FACTS = (Person, PersonName, Unit, UnitState, Post, Assignment)
FIRST = [row(f"A{n}", unit_path=f"Force/Team {n}") for n in range(3)]
SECOND = [
    *({**post, "valid_to": "2026-05-31"} for post in FIRST[:2]),
    *({**post, "valid_from": "2026-06-02", "unit_path": "Force/Team 2"} for post in FIRST[:2]),
    *(row(f"N{n}", unit_path=f"Force/New {n}", line_manager_staff_number="N0") for n in range(3)),
]


@pytest.fixture(autouse=True)
def slices(database, monkeypatch):
    """A person in each slice; what is called between two of them is settable."""

    class Between:
        act = staticmethod(lambda: None)
        number = 0

    def between(_engine, _seconds):
        Between.number += 1
        Between.act()

    monkeypatch.setattr(staged, "MOST_AT_ONCE", 0)
    monkeypatch.setattr(recording, "FEW", 0)
    monkeypatch.setattr(projection_rows, "SLICE", 1)
    monkeypatch.setattr(projection_rows, "PEOPLE", 1)
    monkeypatch.setattr(projection_rows, "let_others_write", between)
    with time_machine.travel(datetime(2026, 6, 1, 12, tzinfo=UTC), tick=True):
        yield Between


@pytest.fixture
def activity(slices):
    """What a directive asks of those who are on the roster already."""
    version = make_version("respond")
    ask("respond")
    load(FIRST)
    slices.number = 0
    return db.session.get_one(ModuleVersion, version).activity_id


def load(rows):
    content = csv_of(rows)
    sheet = open_sheet(content, "r.csv")
    return services.import_upload(
        Upload("roster", "r.csv", content, sheet, columns.map_roster(sheet.columns))
    )


def count_facts():
    return [db.session.scalar(select(func.count()).select_from(table)) for table in FACTS]


def test_nothing_is_seen_before_all_is(activity, slices):
    before, facts, seen = known_on(newest_stamp()), count_facts(), []

    def look():
        db.session.rollback()
        seen.append((known_on(newest_stamp()), count_facts()))

    slices.act = look
    load(SECOND)

    assert slices.number == 2 + 3, "each person whose status changes has a slice"
    assert seen == [(before, facts)] * 5
    assert count_facts()[0] == facts[0] + 3
    assert known_on(newest_stamp()) != before
    posts = dict(db.session.execute(select(Post.id, Post.person_id)).all())
    periods = db.session.execute(select(StatusPeriod.post_id, StatusPeriod.person_id)).all()
    assert all(posts[post] == person for post, person in periods)
    check_all()


def test_what_others_record_meanwhile_counts(activity, slices):
    """A pass of somebody who moves is followed; a new post makes the import begin anew."""
    person = db.session.scalar(select(PersonName.person_id).where(PersonName.staff_number == "A0"))
    acts = [lambda: make_record(person, activity, datetime(2026, 5, 4).date())]

    def meanwhile():
        if acts:
            acts.pop()()

    slices.act = meanwhile
    load(SECOND)
    check_all()

    team = db.session.scalar(select(UnitState.unit_id).where(UnitState.name == "Team 1"))
    acts.append(lambda: make_person(team, staff_number="X1"))
    load([row(f"M{n}", unit_path="Force/Team 1") for n in range(3)])

    assert acts == []
    numbers = set(db.session.scalars(select(PersonName.staff_number)))
    assert {"X1", "M0", "M1", "M2"} <= numbers
    check_all()


def test_a_cancelled_import_leaves_nothing(activity, slices):
    before, facts = known_on(newest_stamp()), count_facts()

    def cancel():
        if slices.number == 4:
            raise CancelledError

    slices.act = cancel
    with pytest.raises(CancelledError):
        load(SECOND)

    db.session.rollback()
    assert (known_on(newest_stamp()), count_facts()) == (before, facts)
    assert read_stamps()[1] is None
    check_all()
    load(SECOND)
    check_all()
