"""The check of a scenario's paths against a plain walk of every path."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from portal.domain.item_kinds import kinds_by_name
from portal.platform.formats.toml_tables import Faults, Source

Scenes = list[list[tuple[int, Decimal]]]  # of each scene its choices: where each leads, its weight

weights = st.sampled_from([Decimal(0), Decimal("0.3"), Decimal("0.5"), Decimal(1)])
scenarios = st.integers(2, 5).flatmap(
    lambda n: st.lists(
        st.lists(st.tuples(st.integers(0, n - 1), weights), max_size=3), min_size=n, max_size=n
    )
)
forward = st.integers(2, 6).flatmap(
    lambda n: st.tuples(
        *(
            st.lists(st.tuples(st.integers(at + 1, n - 1), weights), max_size=3)
            if at < n - 1
            else st.just([])
            for at in range(n)
        )
    ).map(list)
)


def scenario_toml(scenes: Scenes) -> str:
    rows = ['[[item]]\nkey = "one"\nstart = "s0"']
    for at, choices in enumerate(scenes):
        rows.append(f'[[item.scene]]\nkey = "s{at}"\ntext = "Scene {at}."')
        for number, (to, weight) in enumerate(choices):
            rows.append(
                f'[[item.scene.choice]]\nkey = "c{number}"\ntext = "Go."\nto = "s{to}"\n'
                f'weight = {weight}\nfeedback = "So."'
            )
    return "\n".join(rows) + "\n"


def is_whole(scenes: Scenes) -> bool:
    """Whether every scene is reached, there is no cycle, and two paths or more lead to a best end."""
    ends: list[tuple[Decimal, int]] = []
    seen = {0}
    ahead = [(0, frozenset({0}), Decimal(0))]
    while ahead:
        at, trail, total = ahead.pop()
        if not scenes[at]:
            ends.append((total, at))
        for to, weight in scenes[at]:
            if to in trail:
                return False
            seen.add(to)
            ahead.append((to, trail | {to}, total + weight))
    best = max(total for total, _ in ends)
    best_ends = {end for total, end in ends if total == best}
    several = any(sum(end == each for _, end in ends) >= 2 for each in best_ends)
    return bool(scenes[0]) and len(seen) == len(scenes) and best > 0 and several


@given(st.one_of(forward, scenarios))
def test_a_scenario_is_accepted_exactly_if_all_its_paths_are_sound(scenes):
    faults = Faults()
    root = Source(scenario_toml(scenes), "bank.toml", faults).root()
    assert root is not None
    kinds_by_name()["scenario"].read_content(root.tables("item")[0], "one", "item.")

    assert (len(faults) == 0) == is_whole(scenes), faults.sentences()
