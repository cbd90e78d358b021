"""The fictional forces of the demo: what they send is real, and some of it late, corrected or missing."""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime, time

import pytest

from portal.features.returns.comparisons import CORRECTION, PROGRESS, compare_forces, read_movement
from portal.features.returns.demo import FORCE_NAMES, schedule_returns, share_out
from portal.features.returns.national import read_groups, read_national
from portal.platform.db import transaction
from portal.platform.permissions import Role
from tests.factories.people import make_grant, make_person
from tests.features.returns.test_receipts import position

TODAY = date(2026, 6, 20)


@pytest.fixture
def year(database, time_machine):
    """The returns of a year, each received on its day."""
    time_machine.move_to(datetime(2025, 4, 1, 9, tzinfo=UTC))
    owner = make_person(staff_number="D4009")
    make_grant(owner, Role.DIRECTIVE_OWNER)
    days = defaultdict(list)
    schedule_returns(TODAY, owner, days)
    for day in sorted(days):
        with transaction(stamp_as=datetime.combine(day, time(19), UTC)):
            for act in days[day]:
                act()
    time_machine.move_to(datetime(2026, 6, 20, 20, tzinfo=UTC))


@pytest.mark.slow
def test_forty_three_forces_send_a_year_of_returns_with_gaps_and_corrections(year):
    assert len(FORCE_NAMES) == len(set(FORCE_NAMES)) == 43

    figures = read_national(position(), 5)

    assert len(figures.forces) == 43
    assert [month.period.period for month in (figures.months[0], figures.newest_month)] == [
        "2025-06",
        "2026-05",
    ]
    states = Counter(receipt.state for month in figures.months for receipt in month.receipts.values())
    assert states["on_time"] > 400
    assert states["late"] > 15
    assert states["missing"] > 10
    assert any(receipt.is_corrected for month in figures.months for receipt in month.receipts.values())
    shares = [month.share.done / month.share.total for month in figures.months]
    assert shares[-1] > 0.6 > 0.3 > shares[0]
    greyhaven = next(force for force in figures.forces if force.key == "greyhaven")
    assert figures.newest_month.receipts[greyhaven.id].state == "missing"
    roles = read_groups(figures.newest_month, "role", 5)
    assert set(roles.table.rows) == {"contact", "custody", "investigation", "neighbourhood", "response"}
    for groups in (roles, read_groups(figures.newest_month, "rank", 5)):
        kept = [100 * row.share.done // row.share.total for row in groups.table.rows.values() if row.share]
        assert len(kept) == len(set(kept)) >= 4
        assert max(kept) < 97
    assert len(compare_forces(figures).beyond_limits) > 5
    moves = [read_movement(read_national(position(), 5, period=each.period)) for each in figures.book.periods]
    parts = [move.steps for move in moves if move]
    assert all(part[PROGRESS].complete >= 0 for part in parts)
    assert any(part[CORRECTION].complete < 0 for part in parts)


def test_a_number_is_shared_out_exactly():
    assert share_out(10, [3, 3, 4]) == [3, 3, 4]
    assert sum(share_out(997, [16, 7, 27, 12, 38])) == 997
    assert share_out(0, [0, 0]) == [0, 0]
