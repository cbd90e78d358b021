"""What is hidden of counts, and that it cannot be worked out from what is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from portal.domain.reports.packs.rounding import is_small
from portal.domain.returns.suppression import (
    BY_FORCE,
    BY_US,
    Counts,
    ShownCounts,
    protect_counts,
    protect_together,
)

SMALL = 5


def test_large_numbers_are_shown_with_their_sum():
    table = protect_counts({"north": Counts(110, 10, 60), "south": Counts(220, 20, 150)}, SMALL)

    assert table.rows["north"] == ShownCounts(110, 10, 60, 40)
    assert table.total == ShownCounts(330, 30, 210, 90)
    assert table.group_count == 2


def test_a_group_with_a_small_number_is_hidden_with_two_others():
    groups = {"a": Counts(110, 10, 97), "b": Counts(220, 20, 150)}

    two = protect_counts(groups, SMALL)
    rows = protect_counts({**groups, "c": Counts(330, 30, 200), "d": Counts(440, 40, 300)}, SMALL).rows

    assert (set(two.rows.values()), two.total) == ({ShownCounts(hidden=BY_US)}, None)
    assert rows["a"] == rows["b"] == rows["c"] == ShownCounts(hidden=BY_US)
    assert rows["d"] == ShownCounts(440, 40, 300, 100)


def test_the_total_of_a_single_group_of_few_people_is_not_shown():
    table = protect_counts({"a": Counts(10, 4, 0)}, SMALL)

    assert (table.rows["a"], table.total) == (ShownCounts(hidden=BY_US), None)


def test_a_group_hidden_under_one_requirement_is_hidden_under_each():
    first = {key: Counts(110 * n, 10 * n, 60 * n) for n, key in enumerate("abcd", start=1)}
    second = {**first, "a": Counts(110, 10, 97)}

    tables = protect_together({"first": first, "second": second}, SMALL)

    assert [key for key in first if tables["first"].shows(key)] == ["d"]
    assert tables["second"].rows == {
        **dict.fromkeys("abc", ShownCounts(hidden=BY_US)),
        "d": ShownCounts(440, 40, 240, 160),
    }
    assert tables["second"].total == ShownCounts(1100, 100, 637, 363)


def test_a_group_is_hidden_where_requirements_tell_how_few_lack_one_alone_or_both():
    whole = {key: Counts(100 * n, 0, 50 * n) for n, key in enumerate("abcde", start=1)}
    half = {key: Counts(100 * n, 0, 70 * n) for n, key in enumerate("abcde", start=1)}
    for few in ((70, 52), (80, 68)):  # two lack the first alone; two lack both
        both = [{**half, "a": Counts(100, 0, complete)} for complete in few]
        tables = protect_together({"": whole, "first": both[0], "second": both[1]}, SMALL)
        assert [key for key in whole if tables[""].shows(key)] == ["d", "e"]

    assert protect_together({"": whole, "first": half, "second": half}, SMALL)[""].shows("a")


def test_a_requirement_of_which_few_lack_another_alone_in_all_groups_is_not_shown():
    whole = {key: Counts(200, 0, 100) for key in "abcde"}
    first = {**whole, "a": Counts(200, 0, 103)}

    tables = protect_together({"": whole, "first": first}, SMALL)

    assert tables["first"].total is None
    assert tables[""].total == ShownCounts(1000, 0, 500, 500)


def list_fills(total, places):
    """All ways to have a number of people in so many places."""
    if places == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in list_fills(total - first, places - 1):
            yield (first, *rest)


@pytest.mark.parametrize(
    "missing", [(4, 4, 4, 9, 12, 20), (3, 0, 5, 30, 40, 50), (4, 4, 8, 30, 40, 50), (3, 5, 0, 0, 9, 40)]
)
def test_not_even_who_knows_this_rule_and_the_size_of_groups_can_tell_a_small_number(missing):
    """All numbers with which the same would be shown: each hidden small one can be every small number."""

    def show(numbers):
        groups = {n: Counts(60 + 10 * n, 0, 60 + 10 * n - each) for n, each in enumerate(numbers)}
        return protect_counts(groups, SMALL)

    table = show(missing)
    hidden = [n for n in range(len(missing)) if not table.shows(n)]
    small = [n for n in hidden if is_small(missing[n], SMALL)]
    possible = {n: set() for n in small}
    for fill in list_fills(sum(missing[n] for n in hidden), len(hidden)):
        numbers = list(missing)
        for n, number in zip(hidden, fill, strict=True):
            numbers[n] = number
        if any(numbers[n] not in possible[n] for n in small) and show(numbers) == table:
            for n in small:
                possible[n].add(numbers[n])

    assert table.total
    assert all(possible[n] >= set(range(1, SMALL)) for n in small), possible


def test_a_group_that_cannot_be_exchanged_under_another_requirement_is_in_no_total():
    first = {"a": Counts(110, 10, 97), **{key: Counts(320, 20, 50) for key in ("b", "c")}}
    second = {"a": Counts(110, None, None), **{key: Counts(320, 20, 50) for key in ("b", "c")}}

    tables = protect_together({"first": first, "second": second}, SMALL)

    assert tables["first"].groups == tables["second"].groups == {"b", "c"}
    assert (tables["first"].rows["a"].hidden, tables["second"].rows["a"].hidden) == (BY_US, BY_FORCE)


def test_numbers_that_a_force_hid_stay_hidden_and_are_in_no_sum():
    groups = {"a": Counts(40, None, None), "b": Counts(220, 20, 150), "c": Counts(330, 30, 200)}

    table = protect_counts(groups, SMALL)

    assert table.rows["a"] == ShownCounts(assigned=40, hidden=BY_FORCE)
    assert (table.total, table.group_count) == (ShownCounts(550, 50, 350, 150), 2)


def test_if_few_are_excluded_no_table_shows_how_many():
    table = protect_counts({"a": Counts(101, 1, 60), "b": Counts(220, 0, 150)}, SMALL)

    assert table.rows["a"] == ShownCounts(None, None, 60, 40, BY_US)
    assert table.rows["b"] == ShownCounts(None, None, 150, 70, BY_US)
    assert table.total is not None
    assert table.total.assigned is None


def test_a_group_of_few_people_is_not_shown_at_all_and_nor_is_a_small_sum():
    few = protect_counts({"a": Counts(8, 0, 8), "b": Counts(220, 20, 150), "c": Counts(330, 30, 200)}, SMALL)
    assert few.rows["a"] == ShownCounts(hidden=BY_US)

    none = protect_counts({"a": Counts(100, 0, 2), "b": Counts(200, 0, 0)}, SMALL)
    assert none.total is None
    assert set(none.rows.values()) == {ShownCounts(hidden=BY_US)}


def test_one_force_alone_is_shown_unless_a_number_is_small():
    assert protect_counts({"a": Counts(110, 10, 60)}, SMALL).rows["a"] == ShownCounts(110, 10, 60, 40)
    assert protect_counts({"a": Counts(110, 10, 98)}, SMALL).total is None


_COUNTS = some.tuples(some.integers(0, 30), some.integers(0, 30), some.integers(0, 9)).map(
    lambda cells: Counts(sum(cells), cells[2], cells[0])
)


_TABLES = some.lists(some.tuples(*[some.none() | _COUNTS] * 3), min_size=1, max_size=12)


@given(_TABLES)
def test_hidden_groups_can_be_exchanged_in_all_tables_and_their_sums_tell_nothing(groups):
    """Then any of their small numbers could be each number from 0 to a sum that is not small."""
    given_tables = {
        str(place): {key: line[place] for key, line in enumerate(groups) if line[place]} for place in range(3)
    }

    tables = protect_together(given_tables, SMALL)

    shown = {name: table for name, table in tables.items() if table.total}
    hidden = {name: {key for key in table.groups if not table.shows(key)} for name, table in shown.items()}
    assert len({frozenset(keys) for keys in hidden.values()}) <= 1
    for name, table in tables.items():
        assert name in shown or not any(map(table.shows, table.rows))
        for row in table.rows.values():
            for number in (row.complete, row.not_complete, row.excluded):
                assert number is None or not is_small(number, SMALL)
    told = {(row.assigned is None, row.excluded is None) for t in shown.values() for row in [t.total]}
    assert len(told) <= 1  # where one table tells the excluded, no other is silent of them
    for name, keys in hidden.items():
        assert len(keys) != 1
        for number_of in (
            lambda each: each.complete,
            lambda each: each.assigned - each.excluded - each.complete,
            *([] if (True, True) in told else [lambda each: each.excluded]),
        ):
            assert not is_small(sum(number_of(given_tables[name][key]) for key in keys), SMALL)


@given(some.dictionaries(some.integers(1, 50), _COUNTS, max_size=12))
def test_every_group_is_named_once_and_no_number_is_changed(groups):
    table = protect_counts(groups, SMALL)

    assert set(table.rows) == set(groups)
    for key, row in table.rows.items():
        true = groups[key]
        assert row.complete in (None, true.complete)
        assert row.assigned in (None, true.assigned)
        assert row.excluded in (None, true.excluded)
