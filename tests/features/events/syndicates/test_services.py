"""People are moved between the syndicates of an event, within its limits."""

from collections import Counter

import pytest

from portal.features.events.register import get_register_event, list_register
from portal.features.events.sign_off import move_people, suggest_groups
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from tests.features.events.worlds import make_held_event

pytestmark = pytest.mark.usefixtures("database")


def move(world, moves):
    with transaction():
        return move_people(world.reference, moves, by=world.facilitator)


def sizes(world):
    people = list_register(get_register_event(world.reference))
    return Counter(person.syndicate for person in people)


def test_a_suggestion_is_only_taken_when_it_is_saved():
    world = make_held_event(10)
    event = get_register_event(world.reference)

    suggested = suggest_groups(event, list_register(event))
    assert sizes(world) == {None: 10}

    assert move(world, suggested) == 10
    assert sizes(world) == {1: 5, 2: 5}
    assert move(world, suggested) == 0


def test_two_facilitators_who_move_different_people_both_succeed():
    world = make_held_event(3)

    move(world, {world.bookings[0]: 1})
    move(world, {world.bookings[1]: 2, world.bookings[0]: None})

    assert sizes(world) == {None: 2, 2: 1}


@pytest.mark.parametrize(("number", "reason"), [(3, "syndicates 1 to 2"), (0, "syndicates 1 to 2")])
def test_a_syndicate_that_the_event_does_not_have_is_refused(number, reason):
    world = make_held_event(1)

    with pytest.raises(RuleError, match=reason):
        move(world, {world.bookings[0]: number})


def test_no_syndicate_is_larger_than_its_type_allows_and_nobody_is_moved_then():
    world = make_held_event(8)

    with pytest.raises(RuleError, match="Syndicate 1 would have 8 people"):
        move(world, dict.fromkeys(world.bookings, 1))
    assert sizes(world) == {None: 8}


def test_somebody_without_a_place_cannot_be_moved():
    world, other = make_held_event(1), make_held_event(1)

    with pytest.raises(RuleError, match="no place"):
        move(world, {other.bookings[0]: 1})
