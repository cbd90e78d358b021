"""No small number in the tables of an FOI pack can be worked out, tried by an attacker with a solver."""

import random
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portal.domain.reports.packs import foi_tables
from portal.domain.reports.packs.foi_tables import (
    GROUPS,
    HIDDEN,
    FoiFigures,
    PostGroup,
    RequirementTotal,
    make_tables,
)
from portal.domain.reports.packs.suppression import choose_hidden_cells, merge_columns
from portal.domain.status.rules import Status
from tests.domain.reports.packs.attacker import (
    count_steps,
    equations_of,
    insiders_equations,
    list_cells,
    statuses_of,
)

SMALL = 5


def figures_of(seed, people, groups, requirements, alike=0.0):
    """The figures of made-up people: most of them complete, in groups of very different sizes.

    ``alike`` is how likely a role is that of the unit.
    """
    chance = random.Random(seed)
    weights = {status: chance.choice([0, 1, 1, 4, 40]) for status in Status} | {Status.SATISFIED: 30}
    counts, missing = {}, Counter()
    for _ in range(people):
        status = chance.choices(list(weights), list(weights.values()))[0]
        places = [min(int(chance.expovariate(0.7)), groups - 1) for _ in range(3)]
        if chance.random() < alike:
            places[2] = places[0]
        group = PostGroup(*(f"Group {place}" for place in places))
        counts.setdefault(group, Counter())[status] += 1
        if not status.held:
            lacks = [place for place in range(requirements) if chance.random() < 0.3]
            excluded = range(requirements) if status.excluded else lacks or [chance.randrange(requirements)]
            missing.update(excluded)
    return FoiFigures(
        groups={group: dict(statuses) for group, statuses in counts.items()},
        ranks=tuple(sorted({group.rank for group in counts})),
        requirements=tuple(
            RequirementTotal("module", f"m{place}", f"Module {place}", people - missing[place])
            for place in range(requirements)
        ),
    )


PARTS = {"units": "unit", "ranks": "rank", "roles": "role"}


def published(tables):
    return {
        table.key: [dict(zip((c.header for c in table.columns), row, strict=True)) for row in table.rows]
        for table in tables.tables
    }


def true_value(figures, tables, unknown):
    """The number behind a hidden cell; that of merged groups is what the named ones leave of the column."""
    key, place, column = unknown
    row = tables[key][place]
    if key == "statuses":
        return next(n for status, n in figures.statuses.items() if status.label == row["status"])
    if key == "requirements":
        complete = figures.requirements[place].complete
        out = sum(figures.statuses.get(status, 0) for status in GROUPS[3].statuses)
        total = figures.people - (out if "not_complete" in row else 0)
        return complete if column == "complete" else total - complete
    statuses = [status for place in statuses_of(column) for status in GROUPS[place].statuses]
    groups = figures.count_by(PARTS[key])
    name = next(iter(row.values()))
    names = {next(iter(other.values())) for other in tables[key]}
    rows = [name] if name in groups else set(groups) - names
    return sum(groups[each].get(status, 0) for each in rows for status in statuses)


def attack(figures, small):
    """The hidden cells that a reader can tell too much of, each with its interval."""
    tables = published(make_tables(figures, small))
    system = equations_of(tables)
    weak = {}
    for unknown in system.unknowns:
        true = true_value(figures, tables, unknown)
        assert system.allows(unknown, true)
        if 0 < true < small and all(system.allows(unknown, value) for value in range(1, small)):
            continue
        least, most = system.extent(unknown)
        if 0 < true < small or most - least < small - 2:
            weak[unknown] = (least, most)
    return weak


ALIKE = st.sampled_from([0.0, 0.9, 1.0])
FIGURES = st.builds(
    figures_of,
    st.integers(0, 10**6),
    st.integers(2 * SMALL, 160),
    st.integers(1, 6),
    st.integers(1, 4),
    ALIKE,
)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(FIGURES)
def test_no_hidden_number_can_be_worked_out_from_all_tables_together(figures):
    assert attack(figures, SMALL) == {}


def insiders_view(figures, small):
    """The cells that are shown and hidden, as an insider reads them: of which group and status people are."""
    tables = published(make_tables(figures, small))
    groups = {group: sum(counts.values()) for group, counts in figures.groups.items()}
    cells = [
        (cells, value)
        for part, key in enumerate(PARTS)
        for cells, value in list_cells(tables.get(key, ()), part, groups)
    ]
    people = {
        ("group", place, str(status)): sum(counts.get(each, 0) for each in GROUPS[status].statuses)
        for place, counts in enumerate(figures.groups.values())
        for status in range(len(GROUPS))
    }
    shown = [cell for cell, value in cells if value != HIDDEN]
    return insiders_equations(tables, groups), people, shown, [c for c, value in cells if value == HIDDEN]


def insiders_finds(figures, small):
    """The hidden numbers for which too few other worlds are found that show the same."""
    _, people, shown, hidden = insiders_view(figures, small)
    finds = []
    for cell in hidden:
        true = sum(people[unknown] for unknown in cell)
        up, down = (count_steps(people, shown, cell, way) for way in (1, -1))
        covers = true - down <= 1 and true + up >= small - 1
        if not covers if 0 < true < small else up + down < small - 2:
            finds.append((true, up, down))
    return finds


LIKE = st.builds(figures_of, st.integers(0, 10**6), st.integers(40, 150), st.just(3), st.just(1), ALIKE)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(LIKE)
def test_not_even_who_knows_everybodys_post_can_work_out_a_hidden_number(figures):
    assert insiders_finds(figures, SMALL) == []


def test_a_table_that_tells_what_another_hides_is_left_out(monkeypatch):
    """A role has the people of one unit, so its row tells what the row of the unit hides."""
    people = {("A", "X"): (26, 4), ("B", "Y"): (30, 10), ("C", "X"): (20, 20)}
    figures = FoiFigures(
        {
            PostGroup(unit, "PC", role): {Status.SATISFIED: complete, Status.OVERDUE: overdue}
            for (unit, role), (complete, overdue) in people.items()
        },
        ("PC",),
        (),
    )

    assert insiders_finds(figures, SMALL) == []
    assert "People by designated role is left out: it would tell a small number." in (
        make_tables(figures, SMALL).left_out
    )
    monkeypatch.setattr(foi_tables, "are_safe_together", lambda *_: True)
    system, _, _, hidden = insiders_view(figures, SMALL)
    possible = [[n for n in range(50) if system.solvable_with(cell, n)] for cell in hidden]
    assert possible == [[26], [4], [30], [10]]


@pytest.mark.sweep
@settings(max_examples=400, deadline=None)
@given(LIKE)
def test_no_insider_works_out_a_number_in_many_forces(figures):
    assert insiders_finds(figures, SMALL) == []


@pytest.mark.sweep
@settings(max_examples=2_000, deadline=None)
@given(FIGURES, st.integers(3, 12))
def test_no_hidden_number_can_be_worked_out_whatever_the_small_number(figures, small):
    if figures.people >= 2 * small:
        assert attack(figures, small) == {}


@settings(max_examples=50, deadline=None)
@given(FIGURES)
def test_no_table_shows_a_small_number_or_names_a_small_group(figures):
    tables = published(make_tables(figures, SMALL))
    for key, rows in tables.items():
        for row in rows:
            shown = [value for name, value in row.items() if isinstance(value, int) and "percent" not in name]
            assert not [value for value in shown if 0 < value < SMALL], (key, row)
            assert key in ("statuses", "requirements") or row["people"] >= 2 * SMALL


@settings(max_examples=50, deadline=None)
@given(FIGURES)
def test_what_is_shown_is_true_and_tables_agree(figures):
    tables = published(make_tables(figures, SMALL))
    totals = {row["group"]: row["people"] for row in tables["statuses"] if row["status"] == "All"}
    assert totals.pop("Everyone") == sum(totals.values()) == figures.people
    for key in ("units", "ranks", "roles"):
        rows = tables.get(key, [])
        assert sum(row["people"] for row in rows[:-1]) == (figures.people if rows else 0)
        for row in rows[:-1]:
            true = figures.count_by(PARTS[key]).get(next(iter(row.values())))
            if true:
                assert row["people"] == sum(true.values())
                for group in GROUPS:
                    if row.get(group.key, HIDDEN) != HIDDEN:
                        assert row[group.key] == sum(true.get(status, 0) for status in group.statuses)


def list_told_by_requirements(tables):
    """Numbers of people that shown requirements and the statuses tell together.

    Those who lack something less those who lack one requirement have completed that one alone of what they
    lacked. All that is lacking less those who lack something is how much is lacking twice.
    """
    rows = tables.get("requirements", [])
    totals = {row["group"]: row["people"] for row in tables["statuses"] if row["status"] == "All"}
    shown = [row["complete"] for row in rows if row["complete"] != HIDDEN]
    told = [complete - totals["Complete"] for complete in shown]
    if rows and len(shown) == len(rows):
        counted = rows[0]["complete"] + list(rows[0].values())[4]
        told.append(sum(counted - complete for complete in shown) - (counted - totals["Complete"]))
    return told


@settings(max_examples=100, deadline=None)
@given(FIGURES)
def test_requirements_and_statuses_tell_no_small_number_together(figures):
    told = list_told_by_requirements(published(make_tables(figures, SMALL)))

    assert not [number for number in told if 0 < number < SMALL]


def few_between(*complete):
    """A force of 100 people, 60 of them complete, given how many completed each requirement."""
    group = {PostGroup("Crime", "PC", "Response"): {Status.SATISFIED: 60, Status.OVERDUE: 40}}
    requirements = (RequirementTotal("module", f"m{n}", f"M{n}", each) for n, each in enumerate(complete))
    return FoiFigures(group, ("PC",), tuple(requirements))


@pytest.mark.parametrize(
    ("complete", "hidden"),
    [((62, 70), [0]), ((90, 68), [0]), ((75, 75), []), ((90, 70), []), ((60, 100), [])],
    ids=["two-lack-the-second-alone", "two-lack-both", "no-few", "nobody-lacks-both", "all-lack-one"],
)
def test_a_requirement_is_hidden_that_would_tell_how_few_lack_another_alone(complete, hidden):
    figures = few_between(*complete)
    rows = published(make_tables(figures, SMALL))["requirements"]

    assert [place for place, row in enumerate(rows) if row["complete"] == HIDDEN] == hidden
    assert attack(figures, SMALL) == {}


def naive(counts, small):
    """Hide the small numbers alone."""
    return frozenset(
        (row, column) for row, line in enumerate(counts) for column, n in enumerate(line) if 0 < n < small
    )


def even():
    """A force of three units, of one rank and role."""
    units = {
        "Crime": {Status.SATISFIED: 30, Status.OVERDUE: 3, Status.NOT_STARTED: 10, Status.EXEMPT: 6},
        "Response": {Status.SATISFIED: 30, Status.OVERDUE: 12, Status.NOT_STARTED: 10, Status.EXEMPT: 6},
        "Roads": {Status.SATISFIED: 20, Status.OVERDUE: 8, Status.NOT_STARTED: 10},
    }
    return FoiFigures(
        groups={PostGroup(unit, "PC", "Response"): units[unit] for unit in units},
        ranks=("PC",),
        requirements=(
            RequirementTotal("module", "a", "A", 129),
            RequirementTotal("module", "b", "B", 83),
        ),
    )


EVEN = even()


def test_the_attacker_works_out_what_is_hidden_without_second_thoughts(monkeypatch):
    """Small numbers alone are hidden: the totals give them away; so does one requirement the other."""
    assert attack(EVEN, SMALL) == {}
    monkeypatch.setattr(foi_tables, "hide_requirements", lambda *_: {0})
    assert attack(EVEN, SMALL)[("requirements", 0, "not_complete")] == (3, 53)

    monkeypatch.undo()
    monkeypatch.setattr(foi_tables, "are_safe_together", lambda *_: True)
    monkeypatch.setattr("portal.domain.reports.packs.suppression.choose_hidden_cells", naive)
    assert attack(EVEN, SMALL)[("units", 0, "overdue")] == (3, 3)


def test_an_ordinary_force_keeps_most_of_its_numbers():
    tables = published(make_tables(replace(EVEN, requirements=()), SMALL))

    assert list(tables["units"][0].values()) == ["Crime", 30, HIDDEN, 10, HIDDEN, 49, 61]
    assert [row["complete"] for row in tables["units"]] == [30, 30, 20, 80]


def test_small_statuses_of_the_force_are_counted_with_the_next():
    few_exempt = replace(even(), requirements=())
    few_exempt.groups[PostGroup("Crime", "PC", "Response")].update({Status.EXEMPT: 2})
    few_exempt.groups[PostGroup("Response", "PC", "Response")].update({Status.EXEMPT: 0})
    rows = published(make_tables(few_exempt, SMALL))["statuses"]

    assert [(row["group"], row["people"]) for row in rows if row["status"] == "All"] == [
        ("Complete", 80),
        ("Overdue", 23),
        ("Not yet due or not counted", 32),
        ("Everyone", 135),
    ]
    assert make_tables(few_exempt, SMALL).complete is None


@pytest.mark.parametrize(
    ("totals", "merged"),
    [
        ([0, 0, 0, 40], [[0], [1], [2], [3]]),
        ([1, 1, 1, 40], [[0, 1, 2, 3]]),
        ([60, 0, 0, 1], [[0, 1, 2, 3]]),
        ([60, 0, 1, 9], [[0], [1], [2, 3]]),
    ],
    ids=["zeros-stay", "all-in-one", "nothing-to-merge-with", "with-the-next"],
)
def test_columns_are_merged_until_none_is_small(totals, merged):
    assert merge_columns(totals, SMALL) == merged


def fills(rows, columns):
    """Every table with these totals."""
    (row, *others), (column, *last) = rows, columns
    if not others:
        yield (tuple(columns),)
        return
    low, high = max(0, row - sum(last)), min(row, column)
    for first in range(low, high + 1):
        line = (first, row - first)
        yield from ((line, *rest) for rest in fills(others, (column - first, last[0] - line[1])))


def test_even_who_runs_the_same_programme_on_every_table_cannot_tell_a_number():
    """Of two groups and two statuses, every hidden number has at least two values with the same outcome."""
    for first in range(2 * SMALL, 14):
        for second in range(first, 16):
            for column in range(SMALL, first + second - SMALL + 1):
                outcomes = {}
                for counts in fills((first, second), (column, first + second - column)):
                    hidden = choose_hidden_cells(counts, SMALL)
                    if hidden:
                        outcomes.setdefault(hidden, []).append(counts)
                for hidden, tables in outcomes.items():
                    shown = {
                        tuple(
                            n for r, line in enumerate(t) for c, n in enumerate(line) if (r, c) not in hidden
                        )
                        for t in tables
                    }
                    if shown == {()}:
                        assert all(len({table[r][c] for table in tables}) > 1 for r, c in hidden)
