"""The demo's dip samples: true counts of a year, one month missing, one left for whoever tries the demo."""

from collections import Counter
from datetime import date, timedelta

import pytest
import time_machine

from portal.domain.people.positions import is_known_fact
from portal.domain.reports.parameters import Position
from portal.features.dip_samples.demo import (
    FIRST_TEAM,
    FORCE_LEAD,
    INCOMPLETE_TEAM,
    MONTHS,
    SUPERVISOR,
    TEAMS,
    plan_samples,
)
from portal.features.dip_samples.models import DipSample
from portal.features.dip_samples.queries import read_sample_table
from portal.platform.clock import noon
from portal.platform.db import db, newest_stamp, transaction
from portal.platform.months import list_full_months
from tests.factories.people import make_person, make_unit

TODAY = date(2026, 6, 10)


def test_a_year_is_recorded_in_the_order_of_days_with_a_gap_and_a_correction(database: None) -> None:
    with time_machine.travel(noon(TODAY), tick=False):
        units = {team: make_unit(team) for team in TEAMS}
        people = {number: make_person() for number in (SUPERVISOR, FORCE_LEAD)}
        acts = sorted(plan_samples(TODAY, date(2025, 3, 1), people, units), key=lambda pair: pair[0])
        for _, act in acts:
            with transaction():
                act()
        known = newest_stamp()
        assert known is not None
        position = Position(TODAY, known, TODAY, latest=True)
        labels = {unit_id: team for team, unit_id in units.items()}
        table = read_sample_table("submitted", list_full_months(MONTHS, TODAY), labels, position)

    missing = {line.label: [cell.month for cell in line.cells if cell.is_missing] for line in table.lines}
    assert {team: months for team, months in missing.items() if months} == {
        FIRST_TEAM: [date(2026, 5, 1)],
        INCOMPLETE_TEAM: [date(2026, 4, 1)],
    }
    rows = db.session.query(DipSample).filter(is_known_fact(DipSample)).all()
    assert Counter(row.reason for row in rows)["came_later"] <= 1
    assert len(rows) == len(TEAMS) * MONTHS - 2


@pytest.mark.parametrize("today", [date(2026, 1, 1), date(2026, 3, 3), date(2026, 11, 28)])
def test_nothing_is_recorded_on_the_day_or_later(today: date) -> None:
    units = dict.fromkeys(TEAMS, 1)
    people = {SUPERVISOR: 1, FORCE_LEAD: 2}

    acts = list(plan_samples(today, today - timedelta(days=450), people, units))

    assert max(day for day, _ in acts) < today


def test_no_month_before_the_earliest_is_recorded() -> None:
    """A force of ten years ago is made where growth is measured."""
    acts = list(
        plan_samples(
            date(2020, 3, 10),
            date(2018, 1, 1),
            dict.fromkeys((SUPERVISOR, FORCE_LEAD), 1),
            dict.fromkeys(TEAMS, 1),
        )
    )

    assert {day.replace(day=1) for day, _ in acts} == {date(2020, 2, 1), date(2020, 3, 1)}
