"""Marking of every kind is pure: these things hold of whatever is sent, and of worked examples."""

import random
from decimal import Decimal
from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.item_kinds import kinds_by_name
from portal.domain.item_kinds.base import Answer, AnswerError, Content, scale_mark
from tests.domain.catalogue.kinds_written import BODIES, content_of

CONTENTS = {name: content_of(name) for name in BODIES}
NAMES = sorted(CONTENTS)
ONE, ZERO = Decimal("1.0000"), Decimal("0.0000")
anything = st.lists(st.text(max_size=12), max_size=6)


def kind_and_content(name: str) -> tuple:
    return kinds_by_name()[name], CONTENTS[name]


def known_strings(content: Content, name: str) -> st.SearchStrategy[list[str]]:
    """Responses of strings that the item knows, in any number and order, beside some that it does not."""
    kind = kinds_by_name()[name]
    keys = [
        *kind.shufflable_keys(content),
        *(key for key, _, _ in kind.countable_choices(content)),
        *kind.best_choices(content),
        *(f"{a}={b}" for a in "ab" for b in "12"),
        "",
        "=",
    ]
    return st.lists(st.sampled_from(keys), max_size=8)


def all_paths(content: Content, at: str) -> list[list[str]]:
    """Every whole way from a scene, found without the code under test."""
    scene = next(s for s in content["scenes"] if s["key"] == at)
    if not scene["choices"]:
        return [[]]
    return [[f"{at}/{c['key']}", *rest] for c in scene["choices"] for rest in all_paths(content, c["to"])]


def test_every_kind_of_the_format_is_here():
    assert list(kinds_by_name()) == ["single", "multiple", "order", "match", "scenario", "report"]


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_a_mark_is_from_nothing_to_one_in_four_places(name, data):
    kind, content = kind_and_content(name)

    mark = kind.mark_answer(content, data.draw(st.one_of(anything, known_strings(content, name))))

    assert ZERO <= mark <= ONE
    assert mark.as_tuple().exponent == -4


@pytest.mark.parametrize("name", NAMES)
def test_the_best_answer_earns_one_and_none_earns_nothing(name):
    kind, content = kind_and_content(name)

    assert kind.mark_answer(content, kind.best_choices(content)) == ONE
    assert kind.is_complete(content, kind.best_choices(content))
    assert kind.mark_answer(content, []) == ZERO
    assert not kind.is_complete(content, [])


@pytest.mark.parametrize("name", NAMES)
@given(foreign=anything)
def test_what_is_not_of_the_item_earns_nothing(name, foreign):
    kind, content = kind_and_content(name)
    known = {
        *kind.shufflable_keys(content),
        *kind.best_choices(content),
        *(key for key, _, _ in kind.countable_choices(content)),
    }

    assert kind.mark_answer(content, [text for text in foreign if text not in known]) == ZERO


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers(), foreign=st.text(min_size=1, max_size=12))
def test_something_foreign_never_adds_to_a_mark(name, seed, foreign):
    kind, content = kind_and_content(name)
    guess = kind.random_choices(content, random.Random(seed))

    assert kind.mark_answer(content, [*guess, foreign]) <= kind.mark_answer(content, guess)


@pytest.mark.parametrize("name", NAMES)
@given(seed=st.integers())
def test_a_guess_is_a_whole_answer(name, seed):
    kind, content = kind_and_content(name)
    guess = kind.random_choices(content, random.Random(seed))

    assert kind.is_complete(content, guess)
    shown = kind.build_view(content, kind.shufflable_keys(content), Answer(tuple(guess)))
    assert shown
    assert kind.summarise_answer(content, kind.shufflable_keys(content), Answer(tuple(guess)))


@pytest.mark.parametrize("name", ["single", "multiple", "order", "match", "report"])
@given(seed=st.integers())
def test_the_order_in_which_an_answer_is_kept_does_not_matter(name, seed):
    kind, content = kind_and_content(name)
    chance = random.Random(seed)
    guess = kind.random_choices(content, chance)

    assert kind.mark_answer(content, chance.sample(guess, len(guess))) == kind.mark_answer(content, guess)


def test_one_order_of_all_is_right():
    kind, content = kind_and_content("order")
    marks = {
        places: kind.mark_answer(
            content,
            [f"{key}={place}" for key, place in zip(kind.shufflable_keys(content), places, strict=True)],
        )
        for places in permutations("123")
    }

    assert [places for places, mark in marks.items() if mark] == [("1", "2", "3")]
    assert set(marks.values()) == {ZERO, ONE}


@given(st.sets(st.sampled_from(["stop=1", "call=2", "wait=3"]), max_size=2))
def test_a_part_of_the_right_order_earns_nothing(part):
    kind, content = kind_and_content("order")

    assert kind.mark_answer(content, sorted(part)) == ZERO
    assert not kind.is_complete(content, sorted(part))


def test_one_way_to_match_all_is_right_where_two_share_a_side():
    kind, content = kind_and_content("match")
    lefts, rights = ("intel", "safety", "minister"), kind.shufflable_keys(content)
    right = [
        given
        for given in product(rights, repeat=3)
        if kind.mark_answer(content, [f"{left}={key}" for left, key in zip(lefts, given, strict=True)])
    ]

    assert rights == ["intel", "safety", "extra.1"]
    assert right == [("intel", "safety", "intel")]


def test_a_way_earns_its_share_of_the_best_way():
    kind, content = kind_and_content("scenario")
    marks = {tuple(way): kind.mark_answer(content, way) for way in all_paths(content, "road")}

    assert marks == {
        ("road/listen", "voices/call"): Decimal("1.0000"),
        ("road/listen", "voices/leave"): Decimal("0.5000"),
        ("road/open", "rush/block"): Decimal("0.4500"),
        ("road/open", "rush/count"): Decimal("0.2500"),
    }


@given(st.sampled_from(all_paths(CONTENTS["scenario"], "road")), st.integers(0, 2))
def test_a_way_cut_short_is_unfinished_and_earns_no_more_than_the_whole(way, length):
    kind, content = kind_and_content("scenario")

    assert kind.mark_answer(content, way[:length]) <= kind.mark_answer(content, way)
    assert kind.is_complete(content, way[:length]) == (length == len(way))


@given(
    st.lists(st.sampled_from(kinds_by_name()["scenario"].shufflable_keys(CONTENTS["scenario"])), max_size=6)
)
def test_only_steps_that_follow_each_other_count(steps):
    kind, content = kind_and_content("scenario")
    walk, at = [], "road"
    for step in steps:
        scene = next(s for s in content["scenes"] if s["key"] == at)
        taken = next((c for c in scene["choices"] if f"{at}/{c['key']}" == step), None)
        if taken is None:
            break
        walk.append(step)
        at = taken["to"]

    assert kind.mark_answer(content, steps) == kind.mark_answer(content, walk)


@given(st.lists(st.decimals(0, 1, places=4), min_size=2, max_size=5))
def test_the_best_way_is_the_heaviest_however_the_scenes_are_joined(weights):
    """A row of scenes: each leads to the next with a weight, or straight to the end with another."""
    scenes = [
        {
            "key": f"s{n}",
            "choices": [
                {"key": "on", "to": f"s{n + 1}", "weight": str(weight)},
                {"key": "off", "to": f"s{len(weights)}", "weight": str(1 - weight)},
            ],
        }
        for n, weight in enumerate(weights)
    ]
    content = {"start": "s0", "scenes": [*scenes, {"key": f"s{len(weights)}", "choices": []}]}
    kind = kinds_by_name()["scenario"]
    worth = {(s["key"], c["key"]): Decimal(c["weight"]) for s in scenes for c in s["choices"]}
    totals = {
        tuple(way): sum((worth[tuple(step.split("/"))] for step in way), Decimal(0))
        for way in all_paths(content, "s0")
    }
    best = max(totals.values())

    assert totals[tuple(kind.best_choices(content))] == best
    for way, total in totals.items():
        assert kind.mark_answer(content, way) == scale_mark(total, best)


@pytest.mark.parametrize(
    ("source", "handling", "mark"),
    [("two", "p", "1.0000"), ("one", "p", "0.5000"), ("two", "c", "0.5000"), ("one", "c", "0.0000")],
)
def test_a_report_earns_the_share_of_its_parts_that_are_right(source, handling, mark):
    kind, content = kind_and_content("report")

    assert kind.mark_answer(content, [f"source/{source}", f"handling/{handling}"]) == Decimal(mark)


def test_a_part_answered_twice_is_not_right():
    kind, content = kind_and_content("report")

    assert kind.mark_answer(content, ["source/one", "source/two", "handling/p"]) == Decimal("0.5000")


def test_a_third_is_cut_and_not_rounded():
    kind, content = kind_and_content("report")
    third = {**content["parts"][0], "key": "third"}

    assert kind.mark_answer({"parts": [*content["parts"], third]}, ["source/two", "handling/p"]) == Decimal(
        "0.6666"
    )


@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_whatever_a_form_holds_is_an_answer_of_the_item_or_is_refused(name, data):
    kind, content = kind_and_content(name)
    order = data.draw(st.permutations(kind.shufflable_keys(content)))
    values = st.one_of(
        st.text(max_size=8), st.sampled_from([*order, "c.1", "c.2", "c.3", "1", "2", "3", "p", "c.1 c.2"])
    )
    fields = [
        "choice",
        "way",
        "reason",
        "for-1",
        "for-2",
        "for-3",
        "back",
        "again",
        "answer-1",
        "answer-2",
    ]
    sent = data.draw(
        st.dictionaries(
            st.sampled_from([*fields, "answer-3", "part-words"]),
            st.lists(values, min_size=1, max_size=3),
            max_size=6,
        )
    )

    try:
        answer = kind.read_answer(content, order, sent)
    except AnswerError as error:
        kind.build_view(content, order, error.typed)  # the page comes back with what was typed
    else:
        assert ZERO <= kind.mark_answer(content, answer.choices) <= ONE
        kind.is_complete(content, answer.choices)
        kind.summarise_answer(content, order, answer)
