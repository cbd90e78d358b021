"""The shares of colleagues: from ten people on, in whole groups of ten, and nobody is singled out."""

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.cases import GROUP, count_shares

WAYS = st.lists(
    st.lists(st.sampled_from("abcd"), min_size=1, max_size=4).map(
        lambda keys: [f"s{number}/{key}" for number, key in enumerate(keys)]
    ),
    max_size=45,
)
WORDS = {"1 in 10 or fewer", "9 in 10 or more", *(f"about {n} in 10" for n in range(2, 9))}


def test_ten_who_agree_are_never_called_all():
    assert count_shares([["s/a"]] * 9) == {}
    assert count_shares([["s/a"]] * 10) == {"s/a": "9 in 10 or more"}
    assert count_shares([["s/a"]] * 6 + [["s/b"]] * 3 + [["s/c"]]) == {
        "s/a": "about 6 in 10",
        "s/b": "about 3 in 10",
        "s/c": "1 in 10 or fewer",
    }


@given(WAYS)
def test_one_more_person_changes_a_scene_only_as_the_tenth_of_a_group(ways):
    for count in range(len(ways)):
        before, after = count_shares(ways[:count]), count_shares(ways[: count + 1])
        changed = {step.partition("/")[0] for step, _ in {*before.items()} ^ {*after.items()}}
        for place in changed:
            comers = sum(any(step.startswith(f"{place}/") for step in way) for way in ways[: count + 1])
            assert comers % GROUP == 0


@given(WAYS)
def test_a_scene_is_shown_from_ten_people_on_and_in_known_words(ways):
    shares = count_shares(ways)

    assert set(shares.values()) <= WORDS
    places = [step.partition("/")[0] for way in ways for step in way]
    assert {step.partition("/")[0] for step in shares} == {
        place for place in places if places.count(place) >= GROUP
    }
