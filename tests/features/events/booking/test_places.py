"""The rules of places alone, against every way to seat people."""

from datetime import UTC, date, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from portal.features.events.places import (
    KeptPlaces,
    Seat,
    Sitting,
    can_take,
    count_free,
    count_kept,
    plan_transitions,
)

START = datetime(2026, 6, 10, 8, 30, tzinfo=UTC)
DAY = date(2026, 6, 10)
NOON = datetime(2026, 6, 1, 11, tzinfo=UTC)
# Unit 1 is the force; 2 and 3 are in it, 4 is in 2.
CHAINS = (frozenset({1, 2, 4}), frozenset({1, 2}), frozenset({1, 3}), frozenset({1}), frozenset[int]())
DEPTHS = {1: 1, 2: 2, 3: 2, 4: 3}
kept_places = st.dictionaries(st.sampled_from(sorted(DEPTHS)), st.integers(1, 2), max_size=3).map(
    lambda units: tuple(KeptPlaces(unit, places, DEPTHS[unit]) for unit, places in units.items())
)
holder_lists = st.lists(st.sampled_from(CHAINS), max_size=5)


def most_seated(kept: tuple[KeptPlaces, ...], holders: list[frozenset[int]]) -> int:
    """The most kept places that these people can fill, by trying every order of the places."""
    slots = [each.unit_id for each in kept for _ in range(each.places)]
    best = 0
    for order in set(permutations(slots)):
        people = list(holders)
        filled = 0
        for unit in order:
            matching = next((units for units in sorted(people, key=len) if unit in units), None)
            if matching is not None:
                people.remove(matching)
                filled += 1
        best = max(best, filled)
    return best


@given(kept_places.filter(lambda kept: sum(each.places for each in kept) <= 5), holder_lists)
def test_people_with_a_place_fill_as_many_kept_places_as_possible(kept, holders):
    assert count_kept(kept, holders) == sum(each.places for each in kept) - most_seated(kept, holders)


@given(kept_places, st.integers(1, 6), st.lists(st.sampled_from(CHAINS), max_size=9))
def test_people_who_ask_in_turn_never_fill_too_many_places_or_those_kept_for_others(kept, places, asking):
    sitting = Sitting(START, DAY, places, False, kept)
    holders: list[frozenset[int]] = []
    begin = max(places, count_kept(kept, []))  # more may be kept than there are, where an event shrank
    for units in asking:
        if can_take(sitting, holders, units):
            holders.append(units)
        assert len(holders) <= places
        assert len(holders) + count_kept(kept, holders) <= begin
    assert count_free(sitting, holders) == 0 or len(holders) == len(asking)


def make_seat(number: int, state: str, *, minute: int = 0, **more: object) -> Seat:
    asked_at = NOON + timedelta(minutes=minute or number)
    values = {"offered_until": None, "units": frozenset({1}), **more}
    return Seat(booking_id=number, state=state, asked_at=asked_at, **values)


def planned(sitting: Sitting, seats: list[Seat], at: datetime) -> dict[int, tuple[str, str]]:
    return {each.booking_id: (each.state, each.reason) for each in plan_transitions(sitting, seats, at)}


def test_an_offer_lasts_48_hours_or_to_the_eve_whichever_is_earlier():
    sitting = Sitting(START, DAY, 1, False)
    waiting = [make_seat(1, "waiting")]
    ends = [
        plan_transitions(sitting, waiting, at)[0].offered_until
        for at in (NOON, datetime(2026, 6, 9, 12, tzinfo=UTC))
    ]
    assert ends == [NOON + timedelta(hours=48), datetime(2026, 6, 9, 23, tzinfo=UTC)]  # midnight in London
    assert plan_transitions(sitting, waiting, datetime(2026, 6, 9, 23, tzinfo=UTC)) == []


def test_a_lapsed_offer_goes_to_the_next_person_and_people_who_may_no_longer_attend_leave():
    sitting = Sitting(START, DAY, 2, False)
    seats = [
        make_seat(1, "booked", expected=False),
        make_seat(2, "offered", offered_until=NOON),
        make_seat(3, "waiting", minute=9),
        make_seat(4, "waiting", minute=8),
        make_seat(5, "waiting", minute=7, expected=False),
        make_seat(6, "waiting", minute=10),
    ]
    assert planned(sitting, seats, NOON) == {
        1: ("left", "not_expected"),
        2: ("lapsed", "not_taken"),
        4: ("offered", "place_free"),
        3: ("offered", "place_free"),
        5: ("left", "not_expected"),
    }


def test_a_waiting_person_is_passed_over_only_for_a_place_kept_for_others():
    sitting = Sitting(START, DAY, 2, False, (KeptPlaces(2, 1, 2),))
    seats = [make_seat(1, "booked"), make_seat(2, "waiting"), make_seat(3, "waiting", units=CHAINS[1])]
    assert planned(sitting, seats, NOON) == {3: ("offered", "place_free")}


def test_cancelling_ends_every_booking_and_the_beginning_ends_the_wait_list():
    seats = [make_seat(number, state) for number, state in enumerate(("asked", "waiting", "booked"), 1)]
    cancelled = Sitting(START, DAY, 9, True)
    assert set(planned(cancelled, seats, START).values()) == {("cancelled", "event_cancelled")}
    assert planned(Sitting(START, DAY, 9, False), seats, START) == {
        1: ("lapsed", "event_began"),
        2: ("lapsed", "event_began"),
    }
