"""What is shown of all forces: rounded numbers that belong together, and nothing small to be certain of."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from portal.domain.reports.foi import Rounding, is_small
from portal.features.returns.national import (
    BY_FORCE,
    BY_US,
    Counts,
    ShownCounts,
    ShownTable,
    add_parts,
    round_groups,
    round_return,
)

SMALL, OTHER = 5, "Other roles"
FIRST, SECOND, THIRD = "module:first", "module:second", "module:third"
_NUMBERS = some.integers(0, 6) | some.integers(0, 40)
# of each role: complete, lacking the first alone, the second alone, both, excluded
_FORCE = some.lists(some.tuples(*[_NUMBERS] * 5), min_size=1, max_size=5)
_FORCES = some.lists(_FORCE, min_size=1, max_size=4)
_KEYS = some.integers(0, 1_000_000)


def rounding_of(force, key, base=SMALL):
    return Rounding.of_subject(base, str(key), f"force {force}")


def make_counts(roles):
    """The returns of a force: by requirement, and by role. The third is required of the first role alone."""
    complete, first, second, both, excluded = map(sum, zip(*roles, strict=True))
    people = complete + first + second + both + excluded
    done, one, two, three, out = roles[0]
    whole = {
        "": Counts(people, excluded, complete),
        FIRST: Counts(people, excluded, complete + second),
        SECOND: Counts(people, excluded, complete + first),
        THIRD: Counts(done + one + two + three + out, out, done + one + two),
    }
    return whole, {f"role {n}": Counts(sum(row), row[4], row[0]) for n, row in enumerate(roles)}


def publish(forces, key, base):
    """What is shown of all forces, and what each could itself have sent."""
    shown, summed, sent = [], [], []
    for place, (whole, roles) in enumerate(forces):
        rounding = rounding_of(place, key, base)
        rows = round_return(whole, rounding)
        groups = round_groups(roles, rows[""], OTHER, rounding)
        shown.append(rows)
        summed.append(groups)
        sent.append(
            (
                {name: _sent_row(row, base) for name, row in rows.items()},
                {name: Counts(sum(row), row[2], row[0]) for name, row in groups.items()} or roles,
            )
        )
    names = sorted({name for groups in summed for name in groups})
    roles = {name: add_parts(groups[name] for groups in summed if name in groups) for name in names}
    totals = {name: ShownTable(dict(enumerate(rows[name] for rows in shown))).total for name in shown[0]}
    return (shown, roles, totals), sent


def _sent_row(row, base):
    return Counts(base, 0, base) if row.hidden else Counts(row.assigned, row.excluded, row.complete)


def attack(forces, key, base=SMALL):
    """Whether an attacker can be certain of a small number: only if no other forces give what is shown."""
    shown, sent = publish([make_counts(roles) for roles in forces], key, base)
    return any(not is_possible(whole, roles, base) for whole, roles in sent) or (
        publish(sent, key, base)[0] != shown
    )


def is_possible(whole, roles, base):
    """Whether people could be so, and no number is small."""
    complete, lacking, excluded = whole[""].parts
    of_roles = [counts.parts for counts in roles.values()]
    if whole[""].assigned >= 2 * base and add_parts(of_roles) != (complete, lacking, excluded):
        return False
    parts = [counts.parts for name, counts in whole.items() if name]
    numbers = [number for row in whole.values() for number in row.parts]
    numbers += [number for row in of_roles for number in row] if whole[""].assigned >= 2 * base else []
    return (
        not any(is_small(number, base) or number < 0 for number in numbers)
        and all(row[1] <= lacking and row[2] <= excluded for row in parts if sum(row) > base)
        and all(row[0] + row[1] <= complete + lacking for row in parts if sum(row) > base)
        and (sum(row[1] for row in parts) >= lacking or any(sum(row) == base for row in parts))
    )


@given(_FORCES, _KEYS)
@settings(max_examples=80, deadline=None)
def test_other_forces_without_small_numbers_give_the_same_national_tables(forces, key):
    assert not attack(forces, key)


@pytest.mark.sweep
@given(_FORCES, _KEYS, some.integers(3, 12))
@settings(max_examples=2_000, deadline=None)
def test_no_small_number_of_a_force_is_certain_in_many_worlds(forces, key, base):
    assert not attack(forces, key, base)


def test_the_attacker_finds_requirements_that_do_not_fit_the_whole_directive(monkeypatch):
    forces = [[(30, 3, 4, 2, 7), (22, 1, 1, 9, 6)], [(61, 7, 0, 0, 3)]]
    assert not any(attack(forces, key) for key in range(30))

    monkeypatch.setattr(
        Rounding,
        "round_lacking",
        lambda self, lacking, *_: {key: self.round_count(lack, key) for key, lack in lacking.items()},
    )
    assert any(attack(forces, key) for key in range(30))


@given(_FORCE, _KEYS)
@settings(deadline=None)
def test_what_a_force_rounded_itself_stays_as_it_sent_it(roles, key):
    ((shown, *_), _, _), [(whole, by_role)] = publish([make_counts(roles)], key, SMALL)

    if not shown[""].hidden:
        again, other_key = round_return(whole, rounding_of(0, key + 1)), rounding_of(0, key + 2)
        assert again == shown
        groups = round_groups(by_role, shown[""], OTHER, other_key)
        assert {name: tuple(row) for name, row in groups.items()} == {
            name: counts.parts for name, counts in by_role.items() if counts.assigned
        }


def test_each_number_is_beside_the_true_one_and_sums_are_of_rounded_numbers():
    roles = [(61, 2, 0, 0, 12), (33, 0, 8, 4, 3)]
    for key in range(20):
        whole, by_role = make_counts(roles)
        rows = round_return(whole, rounding_of(0, key))
        groups = round_groups(by_role, rows[""], OTHER, rounding_of(0, key))
        for name in ("", FIRST, SECOND):
            true, shown = whole[name], rows[name]
            assert abs(shown.assigned - true.assigned) < SMALL
            assert abs(shown.not_complete - true.parts[1]) < SMALL
            assert shown.assigned == shown.complete + shown.not_complete + shown.excluded
        assert add_parts(groups.values()) == rows[""].parts


def test_a_force_that_hid_numbers_or_has_very_few_people_is_in_no_sum():
    hid = round_return({"": Counts(40, None, None), FIRST: Counts(40, 0, 30)}, rounding_of(0, 1))
    few = round_return({"": Counts(9, 0, 8), FIRST: Counts(9, 0, 9)}, rounding_of(0, 1))
    part = round_return({"": Counts(40, 0, 20), FIRST: Counts(None, None, None)}, rounding_of(0, 1))

    assert hid == dict.fromkeys(("", FIRST), ShownCounts(hidden=BY_FORCE))
    assert few == dict.fromkeys(("", FIRST), ShownCounts(hidden=BY_US))
    assert part == {"": ShownCounts((20, 20, 0)), FIRST: ShownCounts(hidden=BY_FORCE)}
    table = ShownTable({"hid": hid[""], "few": few[""], "part": part[""]})
    assert (table.total, table.groups) == (ShownCounts((20, 20, 0)), {"part"})
    assert ShownTable({"few": few[""]}).total is None
    assert round_groups({"a": Counts(40, None, None)}, part[""], OTHER, rounding_of(0, 1)) == {}


def test_roles_of_few_people_in_a_force_are_together():
    whole, roles = make_counts([(60, 0, 0, 0, 0), (4, 0, 0, 0, 0), (0, 3, 3, 0, 0)])

    groups = round_groups(roles, round_return(whole, rounding_of(0, 1))[""], OTHER, rounding_of(0, 1))

    assert list(groups) == ["role 0", OTHER]
