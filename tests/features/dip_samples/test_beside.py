"""What units completed beside their samples is what the report of the directive says of them."""

from datetime import UTC, date, datetime, time

import pytest
import time_machine
from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import Directive
from portal.domain.people.visibility import COMMAND_LINE
from portal.domain.reports.parameters import Filters, Position
from portal.domain.reports.queries import completion_report
from portal.domain.reports.statistics import Share, share_of_group
from portal.features.dip_samples.figures import SampleTrend, UnitBeside, list_units_beside
from portal.features.dip_samples.queries import read_sample_table
from portal.platform.db import db, newest_stamp
from portal.platform.months import list_full_months
from tests.domain.status.facts import make_activity, make_directive, make_record, make_version
from tests.factories.events import make_event_type
from tests.factories.people import make_person, make_unit
from tests.features.dip_samples.factories import APRIL, few, make_sample

TODAY = date(2026, 6, 1)


def read_beside(units: dict[int, str], day: date) -> list[UnitBeside]:
    known = newest_stamp()
    assert known is not None
    position = Position(day, known, TODAY, latest=True)
    table = read_sample_table("submitted", list_full_months(6, day), units, position)
    return list_units_beside(COMMAND_LINE, table, position)


@pytest.fixture
def units(database: None) -> dict[int, str]:
    """Two teams of three, who must complete a module and attend; half of one team did, by a day in May."""
    with time_machine.travel(datetime.combine(TODAY, time(9), UTC), tick=False):
        one, other = make_unit("Team A"), make_unit("Team B")
        make_event_type()
        event = db.session.scalar(select(Activity.id).where(Activity.kind == "event"))
        assert event is not None
        module, directive = make_activity(), make_directive()
        make_version(directive, {1: module, 2: event})
        people = [make_person(unit) for unit in (one, one, one, other, other, other)]
        for person in people[:2]:
            make_record(person, module, date(2026, 5, 10))
        make_record(people[0], event, date(2026, 5, 20))
        for unit in (one, other):
            make_sample(unit, people[0], APRIL, few(9, 12))
        return {one: "Team A", other: "Team B"}


def test_modules_and_events_of_a_unit_agree_with_the_report_at_each_position(units: dict[int, str]) -> None:
    for day in (date(2026, 5, 15), TODAY):
        known = newest_stamp()
        assert known is not None
        position = Position(day, known, TODAY, latest=True)
        for unit in read_beside(units, day):
            reference = db.session.scalars(select(Directive.reference)).one()
            report = completion_report(COMMAND_LINE, reference, position, Filters(unit=unit.label))
            counted = report.shown.requirements

            assert unit.modules == share_of_group(counted[1])
            assert unit.attendance == share_of_group(counted[2])


def test_a_unit_has_no_more_than_its_own_people_did_by_the_day(units: dict[int, str]) -> None:
    one, other = read_beside(units, date(2026, 5, 15))

    assert (one.modules, one.attendance) == (Share(2, 3), Share(0, 3))
    assert (other.modules, other.attendance) == (Share(0, 3), Share(0, 3))


def test_the_trend_breaks_where_nothing_was_counted(units: dict[int, str]) -> None:
    known = newest_stamp()
    assert known is not None
    position = Position(TODAY, known, TODAY, latest=True)
    table = read_sample_table("submitted", list_full_months(6, TODAY), units, position)
    trend = SampleTrend(table.totals)

    assert not trend.drawn
    assert len(trend.bars) == 1
    assert trend.parts == []
    assert trend.bars[0].high < trend.bars[0].dot.y < trend.bars[0].low
