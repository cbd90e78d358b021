"""Which three questions are asked."""

import random

from hypothesis import given
from hypothesis import strategies as st

from portal.features.recall.rules import QUESTIONS, RecallCandidate, draw_questions

banks = st.lists(st.sampled_from("abc"), max_size=12).map(
    lambda outcomes: [RecallCandidate(f"item-{n}", outcome) for n, outcome in enumerate(outcomes)]
)


@given(banks, st.integers(0, 9), st.randoms(use_true_random=False))
def test_three_different_ones_and_none_of_last_time_where_the_bank_allows(bank, seed, answers):
    earlier: list[dict[str, bool]] = []
    for turn in range(5):
        drawn = [item.key for item in draw_questions(bank, earlier, random.Random(seed + turn))]

        assert len(drawn) == len(set(drawn)) == min(QUESTIONS, len(bank))
        again = set(drawn) & set(earlier[-1] if earlier else ())
        assert len(again) == max(0, len(drawn) + len(earlier[-1] if earlier else ()) - len(bank))
        earlier.append({key: answers.random() < 0.5 for key in drawn})


@given(st.integers(0, 50))
def test_each_is_asked_before_any_is_asked_twice(seed):
    bank = [RecallCandidate(f"item-{n}", "one") for n in range(12)]
    earlier: list[dict[str, bool]] = []
    for turn in range(4):
        drawn = draw_questions(bank, earlier, random.Random(seed + turn))
        earlier.append({item.key: True for item in drawn})

    assert len({key for recall in earlier for key in recall}) == 12


@given(st.integers(0, 50))
def test_an_outcome_that_went_wrong_is_asked_about_again(seed):
    bank = [RecallCandidate(f"{outcome}-{n}", outcome) for outcome in "abcdef" for n in range(3)]
    last = {"a-0": True, "b-0": False, "c-0": True}

    drawn = draw_questions(bank, [last], random.Random(seed))

    assert drawn[0].outcome == "b"
    assert drawn[0].key != "b-0"
    assert len({item.outcome for item in drawn}) == QUESTIONS
