"""What ready profiles and files without days guess is either right or asked."""

from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.imports.columns import (
    TODAY,
    ColumnMapping,
    leave_out_rows,
    likely_columns,
    read_rows,
    ready_profiles,
    recognise_system,
)
from portal.domain.imports.post_days import date_posts
from portal.domain.imports.values import (
    EMPLOYED,
    ENDS,
    NUMBER,
    DateOrder,
    KnownValues,
    complete_year,
    list_orders,
    read_employment,
    read_time,
    settle_values,
)
from portal.domain.people.queries import UnitRow
from portal.domain.people.roster_plan import (
    KnownPost,
    PostValues,
    RosterBaseline,
    parse_rows_with_faults,
    plan_with_faults,
)
from portal.domain.people.services import PersonNames
from portal.domain.people.units import KnownUnitState, UnitTree
from portal.platform.db import OPEN_END
from portal.platform.tables.columns import plain_name
from portal.platform.tables.isolated_reader import decode_text, split_lines, trim_lines
from portal.platform.tables.table_files import Sheet, SourceRow
from tests.domain.imports.rosters import row

READY = ready_profiles()
COLUMNS = sorted({name for ready in READY.values() for names in ready.columns.values() for name in names})
NEW = date(2026, 6, 1)
SHORT = {DateOrder.DAY_FIRST: "{:%d/%m/%y, %H:%M}", DateOrder.MONTH_FIRST: "{:%m/%d/%y, %H:%M}"}


@given(st.sampled_from(sorted(READY)), st.lists(st.sampled_from([*COLUMNS, "Notes", ""]), unique=True))
def test_each_column_is_one_that_the_system_names_so_or_is_asked_for(key, columns):
    ready = READY[key]

    mapping = ready.map_columns(columns, stated=True)

    names = {target: {plain_name(name) for name in ready.columns[target]} for target in mapping.columns}
    assert all(plain_name(column) in names[target] for target, column in mapping.columns.items())
    settled = mapping.columns.keys() | mapping.fixed.keys()
    asked = {target.name for target in mapping.targets} - settled
    assert asked == mapping.list_gaps(columns).keys() - {"activities"}
    assert mapping == ColumnMapping.from_json(mapping.to_json())


@given(st.lists(st.sampled_from([*COLUMNS, *(c for r in READY.values() for c in r.recognised_by)])))
def test_a_system_is_recognised_by_all_of_its_columns_and_a_name_of_its_own_or_not_at_all(columns):
    for kind in ("roster", "completions"):
        ready = recognise_system(kind, columns)
        assert ready is None or (ready.kind == kind and ready.fits(columns))
        assert ready is None or not set(columns).isdisjoint(ready.own_names)


@pytest.mark.parametrize("key", sorted(READY))
def test_a_name_of_its_own_is_no_other_systems_and_no_usual_one(key):
    ready = READY[key]
    others = {
        plain_name(name)
        for other in READY.values()
        if other.system != ready.system
        for name in (*other.recognised_by, *(name for names in other.columns.values() for name in names))
    }

    own = {plain_name(name) for name in ready.own_names}
    assert own.isdisjoint({*others, *likely_columns(ready.shape)})
    assert ready.own_names or ready.assumed, "whatever is not recognised is chosen by its name"


@pytest.mark.parametrize("key", sorted(READY))
def test_each_system_is_recognised_by_what_makes_it_out(key):
    ready = READY[key]
    columns = [*ready.recognised_by, *ready.own_names]
    found = ready if ready.own_names else None

    assert recognise_system(ready.kind, [name.upper() for name in columns]) is found
    assert recognise_system(ready.kind, [f"Export: {name}" for name in dict.fromkeys(columns)]) is found
    assert recognise_system(ready.kind, [name for name in columns if name not in ready.own_names]) is None


@pytest.mark.parametrize("key", sorted(READY))
def test_where_records_come_from_is_only_said_for_certain(key):
    ready = READY[key]
    recognised = ready.map_columns(ready.recognised_by, stated=False)

    if ready.kind == "completions":
        assert ("source_system" in recognised.fixed) == (not ready.assumed)
        assert ready.map_columns(ready.recognised_by, stated=True).fixed["source_system"] == ready.system
    assert (
        recognise_system("completions", ["Staff number", "Course", "Completion Date", "Completion Status"])
        is None
    )


SAMPLES = {  # the system of each, what is asked about its values, and how many of its rows are left
    "chronicle": ("chronicle", [], 3),
    "college-learn": ("college-learn", ["OIC - Respond (NCALT)", "Manual handling"], 4),
    "entra-users": ("entra-users", ["", "Neighbourhoods", "False"], 3),
    "moodle-course-completion": ("moodle-course-completion", [], 2),
    "moodle-course-completion-excel": ("moodle-course-completion", [], 2),
    "moodle-report-builder": ("moodle-report-builder", ["OIC - Respond (NCALT)"], 3),
    "oracle-hcm": ("oracle-hcm", ["supervisor", "Inactive - Payroll Eligible"], 3),
    "origin-hr": ("origin-hr", ["PC", "supervisor"], 3),
    "sap-successfactors": ("sap-successfactors", ["supervisor", "inactive"], 3),
    "scorm-cloud": ("scorm-cloud", ["", "UNKNOWN"], 4),
    "totara-course-completion": ("totara-course-completion", ["Complete via rpl"], 4),
}
KNOWN = KnownValues(
    {"module/respond": "Respond: at the scene", "module/protect": "Protect: after the scene"},
    {
        1: UnitRow("Westshire Police", None, "Westshire Police"),
        2: UnitRow("Team A", 1, "Westshire Police/Team A"),
    },
    {"rank_or_grade": frozenset({"Constable", "Sergeant"}), "designated_role": frozenset({"response"})},
)


@pytest.mark.parametrize("name", SAMPLES)
def test_each_sample_is_recognised_and_asks_only_what_it_does_not_say(name):
    key, texts, rows = SAMPLES[name]
    text, _ = decode_text((Path(__file__).parent / f"samples/{name}.csv").read_bytes())
    columns, lines, _ = trim_lines(list(split_lines(text)[0]))

    ready = READY[key]
    assert recognise_system(ready.kind, columns) is (ready if ready.own_names else None)
    mapping = ready.map_columns(columns, stated=True)
    if mapping.shape == "person":
        mapping.activities["Course complete"] = "module/respond"
    sheet, _ = leave_out_rows(Sheet(columns, lines, len(lines)), mapping)
    source, reasons = read_rows(sheet, mapping)
    _, questions = settle_values(source, mapping, KNOWN)

    assert (len(source), reasons) == (rows, [])
    if not mapping.short_years:
        assert [question.text for question in questions] == texts


@given(
    st.sampled_from(DateOrder),
    st.lists(st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)), min_size=1, max_size=6),
)
def test_a_year_of_two_digits_is_read_rightly_or_asked_about(order, times):
    texts = [complete_year(SHORT[order].format(time)) for time in times]

    orders = list_orders(texts)

    assert order in orders
    if len(orders) == 1:
        assert [read_time(text, orders[0])[:10] for text in texts] == [
            read_time(f"{time:%Y-%m-%d %H:%M}", order)[:10] for time in times
        ]


@given(st.lists(st.text(st.characters(categories=["L", "N"]), min_size=1), min_size=1), st.data())
def test_a_number_with_an_at_sign_is_asked_about(numbers, data):
    at = data.draw(st.sampled_from(numbers))
    rows = [SourceRow(n, row(number)) for n, number in enumerate([*numbers, f"{at}@westshire.example"], 2)]

    _, questions = settle_values(rows, ColumnMapping("post"), KnownValues(texts=defaultdict(frozenset)))

    assert NUMBER in {question.target for question in questions}


@given(st.text())
def test_whoever_is_not_said_to_work_here_is_asked_about(text):
    words = {"true", "yes", "y", "active", "enabled", "current", "employed"}
    assert (read_employment(text) == EMPLOYED) == (text.strip().lower() in words)


def baseline(posts):
    """One person in a force of two teams, with these posts in order of days."""
    states = [
        KnownUnitState(n, n, name, parent, date(2020, 1, 1), OPEN_END)
        for n, name, parent in ((1, "Westshire Police", None), (2, "North", 1), (3, "South", 1))
    ]
    names = {"R1": PersonNames(1, "R1", "Shah", "Priya", "r1@westshire.example")}
    known = [KnownPost(n, values) for n, values in enumerate(posts, start=1)]
    return RosterBaseline(names, {("R1", ""): known}, frozenset(), UnitTree(states), NEW)


@st.composite
def careers(draw):
    """Posts of one person that do not overlap, some of them over and some still to come."""
    edges = sorted(draw(st.sets(st.integers(-900, 90), max_size=6)))
    posts = []
    for place in range(0, len(edges) - 1, 2):
        first, last = NEW + timedelta(edges[place]), NEW + timedelta(edges[place + 1])
        is_open = place + 2 >= len(edges) - 1 and draw(st.booleans())
        rank, unit = draw(st.sampled_from(["Constable", "Sergeant"])), draw(st.sampled_from([2, 3]))
        posts.append(PostValues("R1", "", rank, "response", unit, None, first, OPEN_END if is_open else last))
    return posts


@given(careers(), st.sampled_from(["North", "South"]), st.sampled_from(["", EMPLOYED, ENDS]))
def test_a_file_without_days_changes_no_day_before_that_of_the_import(posts, unit, employment):
    known = baseline(posts)
    values = row("R1", unit_path=f"Westshire Police/{unit}", valid_from=TODAY, employment=employment)
    source = SourceRow(2, values | {"post_key": "", "withdraw": ""})
    mapping = ColumnMapping("post", {"staff_number": "Number"})

    rows, reasons = parse_rows_with_faults(date_posts([source], mapping, known))
    plan, faults = plan_with_faults(rows, known)

    assert (reasons, faults) == ([], [])
    changed = {change.replaces_id: change.values for change in plan.post_changes}
    for post in known.posts["R1", ""]:
        after = changed.get(post.id, post.values)
        assert after.valid_from == post.values.valid_from
        assert after.valid_to == post.values.valid_to or after.valid_to >= NEW - timedelta(1)
        if post.values.valid_from < NEW:
            assert after._replace(valid_to=post.values.valid_to) == post.values
    if employment == ENDS:
        assert not plan.new_post_count
    else:
        now = [*changed.values(), *(p.values for p in known.posts["R1", ""] if p.id not in changed)]
        assert any(post.valid_to >= NEW for post in now)
