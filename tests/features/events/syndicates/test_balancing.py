"""Suggested syndicates are even, within their limits and mixed, whoever comes."""

from collections import Counter
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from portal.features.events.sign_off import Member, suggest_syndicates

LIMITS = st.tuples(st.integers(1, 7), st.integers(0, 4)).map(lambda drawn: (drawn[0], sum(drawn)))
PEOPLE = st.lists(
    st.builds(
        Member,
        id=st.integers(1, 10_000),
        role=st.sampled_from(("response", "contact", "investigation")),
        rank=st.sampled_from(("Sergeant", "Inspector", "Staff")),
        unit=st.sampled_from("ABCDE"),
    ),
    max_size=30,
    unique_by=lambda member: member.id,
)
COUNTS = st.integers(1, 8)


def count_crowding(people, groups):
    """How often two of one unit, which count twice, or of one rank, are in one syndicate; less is better."""
    units = Counter((groups[member.id], member.unit) for member in people)
    ranks = Counter((groups[member.id], member.rank) for member in people)
    return 2 * count_pairs(units) + count_pairs(ranks)


def count_pairs(counts):
    return sum(count * (count - 1) // 2 for count in counts.values())


@given(PEOPLE, COUNTS, LIMITS)
def test_everybody_is_in_one_and_sizes_are_even_and_within_limits(people, syndicates, limits):
    least, most = limits
    groups = suggest_syndicates(people, syndicates=syndicates, least=least, most=most)
    sizes = Counter(groups.values())

    assert groups.keys() == {member.id for member in people}
    assert set(sizes) == set(range(1, len(sizes) + 1))
    assert len(sizes) <= syndicates
    if people:
        assert max(sizes.values()) - min(sizes.values()) <= 1
        if len(people) <= syndicates * most:
            assert max(sizes.values()) <= most
        if any(number * least <= len(people) <= number * most for number in range(1, syndicates + 1)):
            assert min(sizes.values()) >= least


@given(PEOPLE, COUNTS, LIMITS)
def test_each_role_is_dealt_out_evenly(people, syndicates, limits):
    groups = suggest_syndicates(people, syndicates=syndicates, least=limits[0], most=limits[1])
    used = range(1, max(groups.values(), default=0) + 1)

    for role in {member.role for member in people}:
        counts = [sum(m.role == role and groups[m.id] == number for m in people) for number in used]
        assert max(counts) - min(counts) <= 1


@given(PEOPLE, COUNTS, LIMITS)
def test_no_swap_within_a_role_would_set_units_and_ranks_further_apart(people, syndicates, limits):
    groups = suggest_syndicates(people, syndicates=syndicates, least=limits[0], most=limits[1])
    best = count_crowding(people, groups)

    for one, other in combinations(people[:12], 2):
        if one.role == other.role:
            swapped = {**groups, one.id: groups[other.id], other.id: groups[one.id]}
            assert count_crowding(people, swapped) >= best


@given(PEOPLE, COUNTS, LIMITS, st.randoms(use_true_random=False))
def test_the_order_of_the_people_decides_nothing(people, syndicates, limits, random):
    shuffled = random.sample(people, len(people))
    rules = {"syndicates": syndicates, "least": limits[0], "most": limits[1]}

    assert suggest_syndicates(shuffled, **rules) == suggest_syndicates(people, **rules)


def test_colleagues_of_one_unit_and_the_only_inspectors_are_apart():
    people = [Member(n, "response", "Inspector" if n < 2 else "Sergeant", "AABB"[n % 4]) for n in range(8)]

    groups = suggest_syndicates(people, syndicates=2, least=4, most=7)

    assert groups[0] != groups[1]
    for unit in "AB":
        assert Counter(groups[m.id] for m in people if m.unit == unit) == {1: 2, 2: 2}
