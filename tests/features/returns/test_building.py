"""A return is built of the same counts that the report shows, and rounds as the FOI pack does."""

from collections import Counter
from dataclasses import replace
from datetime import date

import pytest
import time_machine
from hypothesis import assume, given
from hypothesis import strategies as st

from portal.domain.people.queries import COMMAND_LINE
from portal.domain.reports.foi import FoiFigures, PostGroup, RequirementTotal, Rounding, make_tables
from portal.domain.reports.parameters import Position
from portal.domain.reports.queries import completion_report
from portal.domain.status.rules import Status
from portal.features.returns.building import build_return, list_rounded, read_period
from portal.features.returns.content import ReturnContent, list_sum_faults
from portal.platform.errors import BadInputError, RuleError
from tests.features.returns.making import make_content
from tests.pages.monitoring.world import APRIL, TODAY, make_world

RANKS, ROLES = ("Constable", "Sergeant", "Inspector"), ("contact", "custody", "response")
CLOSE = APRIL.replace(day=30, hour=22)


def build(known_on: object = TODAY, **options: object) -> ReturnContent:
    return build_return(
        "OIC-2026",
        "2026-04",
        **{  # type: ignore[arg-type]
            "force": "westshire",
            "force_name": "Westshire Police",
            "known_on": known_on,
            "today": TODAY.date(),
            **options,
        },
    )


def test_every_count_is_that_of_the_rows_of_the_report(database: None) -> None:
    with time_machine.travel(TODAY, tick=False):
        make_world()
        content = build()
        position = Position(date(2026, 4, 30), TODAY, TODAY.date(), latest=False)
        report = completion_report(COMMAND_LINE, "OIC-2026", position)
        rows = list(report.rows())
        people = list(report.person_rows())

    expected: Counter[tuple[str, str, str, str]] = Counter()
    for requirement, row in [
        *((f"{row.requirement_kind}:{row.requirement}", row) for row in rows),
        *(("", row) for row in people),
    ]:
        status = row.status
        groups = [("force", ""), ("role", row.designated_role), ("rank", row.rank_or_grade)]
        for grouping, group in groups:
            expected[requirement, grouping, group, "assigned"] += 1
            expected[requirement, grouping, group, "excluded"] += status.excluded
            expected[requirement, grouping, group, "complete"] += status.held
    shown = {
        (*count.counted_group, name): number
        for count in content.counts
        for name, number in zip(("assigned", "excluded", "complete"), count.numbers, strict=True)
    }
    assert shown == dict(expected)
    assert list_sum_faults(content) == []
    assert content.population == "Everyone with the role response or investigation."


def test_a_return_as_known_then_does_not_change_with_later_facts(database: None) -> None:
    with time_machine.travel(TODAY, tick=False):
        make_world()
        then, now = build(CLOSE), build()

    assert (then.counts[0].complete, now.counts[0].complete) == (1, 2)
    assert then.as_known_on == "2026-04-30T22:00:00Z"
    assert replace(then, counts=now.counts, as_known_on=now.as_known_on) == now


def test_rounded_numbers_are_refused_of_few_people(database: None) -> None:
    with time_machine.travel(TODAY, tick=False):
        make_world()
        with pytest.raises(RuleError, match="So few people"):
            build(round_to=5)


@pytest.mark.parametrize("text", ["", "2026", "2026-13", "2026-4", "April 2026", "1999-04", "20260401"])
def test_a_text_that_is_no_month_is_refused(text: str) -> None:
    with pytest.raises(BadInputError, match="Enter a month such as"):
        read_period(text, date(2026, 5, 1))


def test_a_month_has_to_have_ended() -> None:
    assert read_period(" 2026-04 ", date(2026, 5, 1)) == "2026-04"
    with pytest.raises(BadInputError, match="2026-04 has not ended"):
        read_period("2026-04", date(2026, 4, 30))


@st.composite
def forces(draw: st.DrawFn) -> FoiFigures:
    """A force by unit, rank, role and status, with many small numbers."""
    groups: dict[PostGroup, dict[Status, int]] = {}
    names = st.tuples(st.sampled_from("AB"), st.sampled_from(RANKS), st.sampled_from(ROLES))
    for unit, rank, role in draw(st.lists(names, min_size=1, max_size=8, unique=True)):
        groups[PostGroup(unit, rank, role)] = {
            status: draw(st.one_of(st.integers(0, 6), st.integers(0, 80))) for status in Status
        }
    people = [sum(counts.values()) for counts in groups.values()]
    excluded = sum(n for counts in groups.values() for status, n in counts.items() if status.excluded)
    done = sum(n for counts in groups.values() for status, n in counts.items() if status.held)
    total = RequirementTotal("module", "respond", "Respond", draw(st.integers(done, sum(people) - excluded)))
    return FoiFigures(groups, RANKS, (total,))


@given(forces(), st.integers(3, 10))
def test_a_rounded_return_passes_its_own_checks(figures: FoiFigures, small: int) -> None:
    assume(figures.people >= 2 * small)
    tables = make_tables(figures, Rounding.of_subject(small, "secret", "OIC-2026"))
    counts = tuple(list_rounded(tables, ["module:respond"]))
    content = replace(make_content(), counts=counts, small_number=small)

    assert list_sum_faults(content) == []
    for count in counts:
        assert not [number for number in count.numbers if number is None or number % small]
        if count.grouping == "role" and count.group in figures.count_by("role"):
            people = sum(figures.count_by("role")[count.group].values())
            assert abs((count.assigned or 0) - people) < small
