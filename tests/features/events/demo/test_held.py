"""The demo's past event: held in two syndicates, signed off with every outcome, with its exercise."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from config import ROOT
from portal.domain.records.models import AttendanceRecord
from portal.features.events.demo.held import (
    choose_day,
    choose_signer,
    keep_register,
    plan_held_date,
    sign_people_off,
)
from portal.features.events.models import AttendanceOutcome
from portal.features.events.queries import event_details
from portal.features.exercises.demo import ENTRIES, STATEMENTS, publish_exercises, run_exercise
from portal.features.exercises.models import LogEntry, PlenaryStatement, RunStep
from portal.platform.clock import london_day
from portal.platform.db import db, stamp, transaction
from tests.factories.events import make_event_type
from tests.factories.people import make_grant, make_person, make_unit


@pytest.mark.slow
@pytest.mark.parametrize(
    "day", [datetime(2026, 4, 10, 12, tzinfo=UTC), datetime(2026, 11, 10, 12, tzinfo=UTC)]
)
def test_the_event_is_held_and_signed_off_with_its_exercise(database: None, day: datetime) -> None:
    held_on = choose_day(london_day(day))
    assert 14 <= (london_day(day) - held_on).days <= 20

    with time_machine.travel(day - timedelta(days=60), tick=False):
        force = make_unit("Force")
        host = make_person(force)
        make_grant(host, "facilitator")
        people = {"D5001": host, "D2001": make_person(force, staff_number="D2001")}
        people |= {f"10{place:02}": make_person(force) for place in range(12)}
        make_event_type()
        with transaction():
            publish_exercises(ROOT / "exercises", stamp())
    with time_machine.travel(day, tick=False):
        held = plan_held_date(held_on, people, {"": force})
        assert held is not None
        kept = keep_register(held, host)
        run_exercise(held, kept, host)
        other = make_person(force)
        make_grant(other, "facilitator")
        sign_people_off(held, kept, choose_signer(host))

        event = event_details(held.reference)
        signers = set(db.session.scalars(select(AttendanceOutcome.signed_off_by_id)))
        outcomes = Counter(db.session.scalars(select(AttendanceOutcome.outcome)))
        recorded = db.session.scalars(select(AttendanceRecord)).all()
        steps = db.session.scalars(select(RunStep).order_by(RunStep.id)).all()

    assert signers == {other}  # so the demo's facilitator may correct
    assert (event.held_on, event.syndicates) == (held_on, 2)
    assert {person.syndicate for person in kept} == {1, 2}
    assert outcomes == {"attended": len(kept) - 2, "part": 1, "absent": 1}
    assert len(recorded) == outcomes["attended"]
    assert len(db.session.scalars(select(LogEntry)).all()) == len(ENTRIES)
    assert {row.text for row in db.session.scalars(select(PlenaryStatement))} == set(STATEMENTS)
    assert steps[-1].kind == "end"
    assert all(london_day(step.recorded_at) == held_on for step in steps)


def test_without_the_event_type_no_event_is_held(database: None) -> None:
    force = make_unit("Force")
    host = make_person(force)

    assert plan_held_date(choose_day(london_day(datetime.now(UTC))), {"D5001": host}, {"": force}) is None
