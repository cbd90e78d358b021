"""Which returns are on time, late, missing or corrected, as known on any instant."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.domain.reports.parameters import parse_position
from portal.features.returns.queries import Arrival, ReceiptState, judge_receipt, read_receipts
from portal.platform import clock
from portal.platform.db import newest_stamp
from tests.features.returns.factories import ask_for, make_force, make_return, withdraw_return

DUE = date(2026, 5, 14)


def position(as_at: str = "", known: str = ""):
    return parse_position(as_at, known, now=clock.now(), newest=newest_stamp())


@pytest.fixture(autouse=True)
def _may(request, time_machine):
    if "database" in request.fixturenames:
        time_machine.move_to(datetime(2026, 5, 10, 9, tzinfo=UTC))


def test_a_return_is_on_time_late_missing_or_not_due_and_a_correction_replaces_it(database, time_machine):
    north, south, east = make_force("north"), make_force("south"), make_force("east")
    ask_for("2026-04", DUE)
    first = make_return(north, "2026-04")
    time_machine.move_to(datetime(2026, 5, 20, 9, tzinfo=UTC))
    make_return(south, "2026-04")
    second = make_return(north, "2026-04", 70, number=2, replaces=first)

    book = read_receipts(position())
    receipts = book.receipts_for(book.periods[0])

    assert [receipts[force].state for force in (north, south, east)] == ["on_time", "late", "missing"]
    assert (receipts[south].days_late, receipts[east].days_late) == (6, 6)
    assert receipts[north].is_corrected
    assert (receipts[north].first.return_id, receipts[north].current.return_id) == (first, second)
    assert [force.name for force in book.forces] == ["East Police", "North Police", "South Police"]

    then = read_receipts(position("2026-05-12", "2026-05-12"))
    states = then.receipts_for(then.periods[0])
    assert [states[force].state for force in (north, south, east)] == ["on_time", "awaited", "awaited"]
    assert not states[north].is_corrected


def test_a_due_day_that_was_put_off_counts_from_when_it_was_known(database, time_machine):
    north = make_force("north")
    asked = ask_for("2026-04", DUE)
    time_machine.move_to(datetime(2026, 5, 20, 9, tzinfo=UTC))
    make_return(north, "2026-04")
    ask_for("2026-04", date(2026, 5, 31), replaces=asked)

    now, then = read_receipts(position()), read_receipts(position(known="2026-05-19"))

    assert now.receipt_of(now.forces[0], now.periods[0]).state == ReceiptState.ON_TIME
    assert then.receipt_of(then.forces[0], then.periods[0]).state == ReceiptState.MISSING


def test_a_withdrawn_return_has_never_come(database):
    north = make_force("north")
    ask_for("2026-04", date(2026, 5, 9))
    withdraw_return(make_return(north, "2026-04"))

    book = read_receipts(position())

    assert book.receipt_of(book.forces[0], book.periods[0]).state == ReceiptState.MISSING


def test_a_force_registered_later_is_not_asked_and_a_later_name_counts_from_its_day(database):
    north = make_force("north", "North Police", 900, on=date(2026, 1, 1))
    make_force("north", "Northland Police", 1_000, on=date(2026, 4, 1), force=north)
    make_force("new", on=date(2026, 6, 1))
    make_force("young", on=date(2026, 5, 9))
    ask_for("2026-03", date(2026, 4, 14))

    book = read_receipts(position())

    assert [(force.name, force.headcount) for force in book.forces] == [
        ("Northland Police", 1_000),
        ("Young Police", 2_000),
    ]
    states = [receipt.state for receipt in book.receipts_for(book.periods[0]).values()]
    assert states == ["missing", "not_asked"]
    assert [force.name for force in read_receipts(position("2026-03-31")).forces] == ["North Police"]


_ARRIVALS = some.lists(
    some.tuples(some.integers(1, 6), some.integers(-10, 30)), unique_by=lambda pair: pair[0], max_size=6
).map(
    lambda pairs: [
        Arrival(place, number, DUE + timedelta(days)) for place, (number, days) in enumerate(pairs)
    ]
)


@given(_ARRIVALS, some.integers(-12, 32))
def test_the_highest_number_counts_and_the_first_arrival_says_whether_it_was_late(arrivals, days):
    as_at = DUE + timedelta(days)
    receipt = judge_receipt(DUE, as_at, arrivals)
    come = [arrival for arrival in arrivals if arrival.received_on <= as_at]

    assert receipt == judge_receipt(DUE, as_at, list(reversed(arrivals)))
    if not come:
        assert receipt.state == (ReceiptState.AWAITED if as_at <= DUE else ReceiptState.MISSING)
        return
    assert receipt.current.number == max(arrival.number for arrival in come)
    on_time = any(arrival.received_on <= DUE for arrival in come)
    assert receipt.state == (ReceiptState.ON_TIME if on_time else ReceiptState.LATE)
    assert receipt.corrections == len(come) - 1
