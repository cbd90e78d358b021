"""Shares of documents at a position: of which months, of which units, as known when."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine

from portal.features.dip_samples.queries import SampleRatio, list_samples, sum_samples
from portal.features.dip_samples.services import withdraw_sample
from portal.platform.db import transaction
from portal.platform.errors import ConflictError
from portal.platform.months import list_full_months
from tests.factories.people import make_person, make_unit
from tests.features.dip_samples.factories import APRIL, COUNTS, few, make_sample

MARCH = date(2026, 3, 1)
ENTERED = datetime(2026, 5, 6, 9, tzinfo=UTC)
LATER = ENTERED + timedelta(days=30)


@dataclass
class At:
    as_at: date
    as_known_on: datetime = LATER


def read_ratio(measure: str, months: int, unit_ids: list[int] | None, position: At) -> SampleRatio:
    """A share over the latest full months."""
    full_months = list_full_months(months, position.as_at)
    return sum_samples(measure, full_months, list_samples(position, full_months, unit_ids))


@pytest.fixture
def units(database: None) -> tuple[int, int]:
    """Two teams: one with March and April, one with April alone; entered on 6 May."""
    with time_machine.travel(ENTERED, tick=False):
        one, other, by = make_unit("Team A"), make_unit("Team B"), make_person()
        make_sample(one, by, MARCH, few(8, 10))
        make_sample(one, by, APRIL, few(9, 12))
        make_sample(other, by, APRIL, few(1, 4))
        return one, other


def test_a_ratio_adds_up_full_months_of_the_units_asked_for(units: tuple[int, int]) -> None:
    one, other = units
    end_of_april = At(date(2026, 4, 30))

    force, team = (
        read_ratio("submitted", 1, None, end_of_april),
        read_ratio("submitted", 2, [one], end_of_april),
    )

    assert (force.reached, force.total, force.samples, force.units) == (10, 16, 2, 2)
    assert (team.reached, team.total, team.months) == (17, 22, (MARCH, APRIL))
    assert read_ratio("submitted", 1, [other], end_of_april).total == 4


def test_a_month_that_is_not_over_is_no_full_month(units: tuple[int, int]) -> None:
    assert read_ratio("submitted", 1, None, At(date(2026, 4, 29))).months == (MARCH,)


def test_a_share_as_known_before_the_entry_counts_nothing(units: tuple[int, int]) -> None:
    known_then = At(date(2026, 4, 30), ENTERED - timedelta(days=1))

    assert read_ratio("submitted", 1, None, known_then).total == 0


def test_a_correction_changes_what_is_known_from_its_instant_on(units: tuple[int, int]) -> None:
    one, _ = units
    with time_machine.travel(ENTERED + timedelta(days=2), tick=False):
        make_sample(one, make_person(), APRIL, few(12, 12), "came_later")

    before = read_ratio("submitted", 1, [one], At(date(2026, 4, 30), ENTERED + timedelta(days=1)))

    assert (before.reached, before.total) == (9, 12)
    assert read_ratio("submitted", 1, [one], At(date(2026, 4, 30))).reached == 12


def test_the_same_counts_again_write_nothing(units: tuple[int, int]) -> None:
    one, _ = units
    with time_machine.travel(ENTERED + timedelta(days=2), tick=False):
        assert make_sample(one, make_person(), APRIL, few(9, 12)) is None


def test_withdrawn_counts_cannot_be_withdrawn_again(units: tuple[int, int]) -> None:
    one, _ = units
    with time_machine.travel(ENTERED + timedelta(days=2), tick=False):
        by = make_person()
        sample = make_sample(one, by, date(2026, 2, 1), COUNTS)
        assert sample is not None
        with transaction():
            withdraw_sample(sample, by=by)
        with pytest.raises(ConflictError, match="withdrawn meanwhile"), transaction():
            withdraw_sample(sample, by=by)
