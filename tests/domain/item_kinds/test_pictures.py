"""What a picture with places makes of any choice of places."""

import random

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.cases import count_shares
from portal.domain.item_kinds import case_kinds_by_name, kinds_by_name
from portal.domain.item_kinds.base import Answer
from tests.domain.catalogue.pictures_written import picture_content

KIND, CONTENT = case_kinds_by_name()["picture"], picture_content()
KEYS = ["gate", "bin", "door"]


def test_a_lesson_may_be_one_and_a_question_may_not():
    assert list(case_kinds_by_name()) == ["scenario", "report", "picture", "call"]
    assert "picture" not in kinds_by_name()


@given(st.sets(st.sampled_from(range(3)), min_size=1))
def test_each_place_has_one_verdict_and_each_choice_is_saved(chosen):
    answer = KIND.read_answer(CONTENT, (), {"place": [f"c.{n + 1}" for n in chosen]})
    view = KIND.build_view(CONTENT, (), answer)

    assert answer.choices == tuple(f"{k}/{'chosen' if n in chosen else 'left'}" for n, k in enumerate(KEYS))
    assert KIND.is_complete(CONTENT, answer.choices)
    verdicts = {
        v: {p.number - 1 for p in view.places_by_verdict(v)} for v in ("found", "missed", "extra", "left")
    }
    assert verdicts == {
        "found": chosen & {0, 2},
        "missed": {0, 2} - chosen,
        "extra": chosen & {1},
        "left": {1} - chosen,
    }
    assert (KIND.mark_answer(CONTENT, answer.choices) == 1) == (chosen == {0, 2})
    assert KIND.summarise_answer(CONTENT, (), answer) == [f"The {KEYS[n]}" for n in sorted(chosen)]


def test_the_best_choice_is_what_matters_and_a_guess_is_whole():
    assert KIND.best_choices(CONTENT) == ["gate/chosen", "bin/left", "door/chosen"]
    guess = KIND.random_choices(CONTENT, random.Random(1))
    assert KIND.is_complete(CONTENT, guess)
    assert sum(choice.endswith("/chosen") for choice in guess) == 2
    assert not KIND.is_complete(CONTENT, Answer().choices)


def test_colleagues_are_counted_place_by_place():
    ways = [KIND.best_choices(CONTENT)] * 7 + [["gate/left", "bin/chosen", "door/chosen"]] * 3

    shares = count_shares(ways)

    counted = {step: shares.get(step) for step, _, _ in KIND.countable_choices(CONTENT)}
    assert counted == {
        "gate/chosen": "about 7 in 10",
        "bin/chosen": "about 3 in 10",
        "door/chosen": "9 in 10 or more",
    }
