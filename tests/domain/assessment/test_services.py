"""Marking and drawing are pure: whatever the choices and the bank, these things hold."""

import random
from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.assessment.services import CandidateItem, draw_items
from portal.domain.item_kinds import kinds_by_name
from portal.domain.people.staff_numbers import DUTIES

KINDS = {name: kind for name, kind in kinds_by_name().items() if name in {"single", "multiple"}}
KEYS = [f"k{n}" for n in range(8)]


def content(right: set[str], keys: list[str] = KEYS) -> dict:
    return {"choices": [{"key": key, "correct": key in right} for key in keys]}


@given(st.sampled_from(KEYS), st.sets(st.sampled_from(KEYS)))
def test_a_single_item_is_worth_its_one_right_choice(right, chosen):
    expected = Decimal("1.0000") if chosen == {right} else Decimal("0.0000")
    assert KINDS["single"].mark_answer(content({right}), sorted(chosen)) == expected


@given(st.sets(st.sampled_from(KEYS), min_size=2), st.sets(st.sampled_from(KEYS)))
def test_a_multiple_item_is_worth_exactly_its_right_choices(right, chosen):
    expected = Decimal("1.0000") if chosen == right else Decimal("0.0000")
    assert KINDS["multiple"].mark_answer(content(right), sorted(chosen)) == expected


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_nothing_chosen_earns_nothing(kind):
    assert KINDS[kind].mark_answer(content({"k1", "k2"} if kind == "multiple" else {"k1"}), []) == 0


banks = st.lists(st.sampled_from("abc"), min_size=1, max_size=30).map(
    lambda outcomes: [CandidateItem(n, outcome, ("p", "q", "r")) for n, outcome in enumerate(outcomes)]
)
duties_of_somebody = st.lists(st.sampled_from(DUTIES), max_size=3, unique=True).map(tuple)
marked_banks = st.tuples(banks, st.lists(duties_of_somebody, min_size=30, max_size=30)).map(
    lambda drawn: [replace(item, duties=duties) for item, duties in zip(drawn[0], drawn[1], strict=False)]
)


@given(
    marked_banks,
    st.integers(1, 15),
    st.integers(0, 3),
    st.sets(st.integers(0, 29)),
    st.integers(),
    duties_of_somebody,
)
def test_a_draw_covers_every_outcome_and_repeats_nothing(bank, number, at_least, seen, seed, duties):
    rules = {"count": number, "at_least": at_least, "seen": seen, "duties": duties}
    drawn, again = (draw_items(bank, ["a", "b", "c"], chance=random.Random(seed), **rules) for _ in range(2))

    assert again == drawn
    ids = [item.id for item in drawn]
    assert len(ids) == len(set(ids))
    owed = {o: min(at_least, sum(c.outcome == o for c in bank)) for o in "abc"}
    assert len(ids) == max(min(number, len(bank)), sum(owed.values()))
    for outcome, least in owed.items():
        assert sum(item.outcome == outcome for item in drawn) >= least
    assert all(sorted(item.choices) == ["p", "q", "r"] for item in drawn)


@given(marked_banks, st.lists(st.integers(0, 29)), st.integers(1, 10), st.integers(), duties_of_somebody)
def test_what_was_seen_least_is_drawn_first(bank, seen, number, seed, duties):
    chance = random.Random(seed)
    drawn = draw_items(bank, [], count=number, at_least=0, seen=seen, chance=chance, duties=duties)

    ids = {item.id for item in drawn}
    met = sorted(seen.count(item.id) for item in bank)
    assert sorted(seen.count(one) for one in ids) == met[: len(ids)]


@given(banks, st.lists(st.integers(0, 29)), st.integers())
def test_a_seed_draws_the_same_again(bank, seen, seed):
    rules = {"count": 8, "at_least": 2, "seen": seen}

    first, second = (draw_items(bank, list("abc"), chance=random.Random(seed), **rules) for _ in range(2))

    assert first == second


@given(banks, st.sets(st.integers(0, 29)), st.integers())
def test_what_was_seen_is_drawn_only_when_nothing_else_is_left(bank, seen, seed):
    fresh = [item for item in bank if item.id not in seen]
    drawn = draw_items(bank, [], count=5, at_least=0, seen=seen, chance=random.Random(seed))

    assert sum(item.id not in seen for item in drawn) == min(5, len(fresh))


def test_two_draws_differ():
    bank = [CandidateItem(n, "a", tuple("pqrs")) for n in range(40)]
    draws = {
        tuple(
            item.id
            for item in draw_items(bank, ["a"], count=10, at_least=1, seen=(), chance=random.Random(seed))
        )
        for seed in range(20)
    }
    assert len(draws) == 20


MARKED = [
    CandidateItem(n, "a", ("p", "q"), duties)
    for n, duties in enumerate([("custody",), (), ("contact",), ("custody", "response"), ()])
]


def draws_of_one(duties: tuple[str, ...], times: int = 3000) -> Counter:
    rules = {"count": 1, "at_least": 1, "seen": (), "duties": duties}
    return Counter(
        draw_items(MARKED, ["a"], chance=random.Random(seed), **rules)[0].id for seed in range(times)
    )


def test_items_of_ones_own_duty_come_more_often_and_every_item_comes():
    counts = draws_of_one(("custody",))

    # four to two to one: own, for all, another's
    for item, weight in {0: 4, 1: 2, 2: 1, 3: 4, 4: 2}.items():
        assert counts[item] / 3000 == pytest.approx(weight / 13, abs=0.03)


def test_without_a_known_duty_every_item_is_as_likely():
    assert all(count / 3000 == pytest.approx(1 / 5, abs=0.03) for count in draws_of_one(()).values())


@given(marked_banks, st.integers(1, 15), st.integers())
def test_marks_change_nothing_in_the_draw_of_somebody_without_a_duty(bank, number, seed):
    plain = [replace(item, duties=()) for item in bank]
    draws = [
        draw_items(items, list("abc"), count=number, at_least=1, seen=(), chance=random.Random(seed))
        for items in (bank, plain)
    ]

    assert [item.id for item in draws[0]] == [item.id for item in draws[1]]
