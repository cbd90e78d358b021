"""What is hidden of counts, and that it cannot be worked out from what is left."""

from hypothesis import given
from hypothesis import strategies as some

from portal.domain.reports.packs.suppression import interval, is_small
from portal.domain.returns.suppression import BY_FORCE, BY_US, Counts, ShownCounts, protect_counts

SMALL = 5


def test_large_numbers_are_shown_with_their_sum():
    table = protect_counts({"north": Counts(110, 10, 60), "south": Counts(220, 20, 150)}, SMALL)

    assert table.rows["north"] == ShownCounts(110, 10, 60, 40)
    assert table.total == ShownCounts(330, 30, 210, 90)
    assert table.summed == 2


def test_a_small_number_is_hidden_with_another_in_its_row_and_its_column():
    groups = {"a": Counts(110, 10, 97), "b": Counts(220, 20, 150), "c": Counts(330, 30, 200)}

    rows = protect_counts(groups, SMALL).rows

    assert rows["a"].not_complete is None
    assert rows["a"].share is None
    assert rows["a"].hidden == BY_US
    assert rows["a"].assigned == 110
    hidden = sum(None in (row.complete, row.not_complete, row.excluded) for row in rows.values())
    assert hidden >= 2


def test_what_a_force_hid_stays_hidden_and_is_in_no_sum():
    groups = {"a": Counts(40, None, None), "b": Counts(220, 20, 150), "c": Counts(330, 30, 200)}

    table = protect_counts(groups, SMALL)

    assert table.rows["a"] == ShownCounts(assigned=40, hidden=BY_FORCE)
    assert (table.total, table.summed) == (ShownCounts(550, 50, 350, 150), 2)


def test_where_few_are_excluded_nowhere_nothing_says_how_many():
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


@given(some.dictionaries(some.integers(1, 50), _COUNTS, min_size=1, max_size=12))
def test_nobody_can_work_out_a_hidden_small_number(groups):
    table = protect_counts(groups, SMALL)

    true = {key: (c.complete, c.assigned - c.excluded - c.complete, c.excluded) for key, c in groups.items()}
    named = [key for key, row in table.rows.items() if row.assigned is not None]
    for row in table.rows.values():
        assert not any(
            is_small(count or 0, SMALL) for count in (row.complete, row.not_complete, row.excluded)
        )
    if table.total is None or not named:
        return
    rest = [sum(column) for column in zip(*(true[key] for key in true if key not in named), strict=True)]
    lines = [list(true[key]) for key in named] + ([rest] if rest else [])
    hidden = set()
    for place, key in enumerate(named):
        row = table.rows[key]
        cells = (row.complete, row.not_complete, row.excluded)
        hidden |= {(place, column) for column, cell in enumerate(cells) if cell is None}
    if rest:  # whose cells are in no row of the page: what is left of each column says no more than the sums
        hidden |= {(len(named), column) for column in range(3)}
    for row, column in sorted(hidden):
        if row < len(named) and is_small(lines[row][column], SMALL):
            low, high = interval(lines, hidden, (row, column), 2 * SMALL)
            assert low <= 1
            assert high >= SMALL - 1


@given(some.dictionaries(some.integers(1, 50), _COUNTS, max_size=12))
def test_every_group_is_named_once_and_no_number_is_changed(groups):
    table = protect_counts(groups, SMALL)

    assert set(table.rows) == set(groups)
    for key, row in table.rows.items():
        true = groups[key]
        assert row.complete in (None, true.complete)
        assert row.assigned in (None, true.assigned)
        assert row.excluded in (None, true.excluded)
