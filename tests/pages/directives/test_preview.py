"""The preview of a change equals what then happens: of a version, and of posts that a roster brings."""

from datetime import date, timedelta
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.directives.changes import (
    effect_of_posts,
    propose_version,
    propose_version_withdrawal,
    propose_withdrawal,
)
from portal.domain.directives.files import DirectiveFile
from portal.domain.directives.models import Assignment, Directive
from portal.domain.directives.services import Confirmation, reconcile_all, record_proposal
from portal.domain.people.models import PersonName
from portal.domain.people.positions import is_known_fact
from portal.domain.people.roster_plan import RosterRow
from portal.domain.status import tasks
from portal.domain.status.projector import rebuild_status
from portal.domain.status.recording import stage_version, write_version
from portal.platform import clock
from portal.platform.db import OPEN_END, db, stamp, transaction
from tests.databases import undone
from tests.domain.imports.rosters import import_rows, plan_rows
from tests.domain.status.facts import add_activity
from tests.domain.status.test_histories import QUIET
from tests.examples import few_or_many
from tests.factories.people import make_person, make_unit

pytestmark = pytest.mark.slow

FEW = settings(QUIET, max_examples=few_or_many(4, 12))
DAYS = st.integers(0, 500).map(lambda days: date(2025, 1, 1) + timedelta(days=days))
ROLES = ("response", "contact", "custody")
RANKS = ("Constable", "Sergeant")
UNITS = (("Force", "North"), ("Force", "South"), ("Force", "North", "Team"), ("Force", "North", "New"))
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "designated_role": st.lists(st.sampled_from(ROLES), min_size=1, max_size=2, unique=True),
        "rank_or_grade": st.lists(st.sampled_from(RANKS), min_size=1, max_size=1),
        "unit_under": st.lists(st.sampled_from(["Force/North", "Force/South"]), min_size=1, max_size=1),
    },
)
RULES = st.fixed_dictionaries(
    {
        "audience": st.lists(TABLES, min_size=1, max_size=2),
        "exceptions": st.lists(TABLES, max_size=1),
        "due_fixed_on": st.sampled_from([date(2025, 12, 31), date(2026, 4, 30)]),
        "due_days_after_joining": st.sampled_from([None, 0, 60]),
    }
)
POSTS = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(ROLES),
        st.sampled_from(RANKS),
        st.sampled_from(UNITS),
        DAYS,
        st.integers(20, 300),
    ),
    min_size=1,
    max_size=6,
)


def directive_file(day, rules, reference="PRE-1", **more):
    texts = dict.fromkeys(("title", "source", "wording"), "x")
    defaults = {"validity_months": None, "yearly_on": None, "minimum_gap_months": None, "withdrawn": False}
    return DirectiveFile(
        reference=reference,
        owner="OWNER",
        effective_on=day,
        target=Decimal(1),
        notice_days=[],
        expiring_days=0,
        requirements=[("module", "one")],
        **{**texts, **defaults, **rules, **more},
    )


def roster_rows(posts, first):
    """Roster rows of these posts, in the order drawn; one of a person and first day."""
    rows = {}
    for line, (who, role, rank, unit, since, days) in enumerate(posts, 2):
        number = f"P{first + who}"
        rows[number, since] = RosterRow(
            line,
            number,
            "Shah",
            "Priya",
            None,
            True,
            rank,
            role,
            unit,
            None,
            since,
            None,
            f"k{days % 2}",
            False,
        )
    return list(rows.values())


def make_world():
    top = make_unit("Force")
    north = make_unit("North", top)
    make_unit("South", top), make_unit("Team", north)
    make_person(top, staff_number="OWNER", role="staff", rank="Inspector")
    add_activity("module", "one")


def apply_roster(changes):
    import_rows(changes)


def load_assignments():
    """Days and due dates by directive and staff number, as they are now."""
    names = dict(db.session.execute(select(PersonName.person_id, PersonName.staff_number)).all())
    references = dict(db.session.execute(select(Directive.id, Directive.reference)).all())
    assignments = {}
    for assignment in db.session.scalars(select(Assignment).where(is_known_fact(Assignment))):
        key = references[assignment.directive_id], names[assignment.person_id]
        assignments.setdefault(key, []).append((assignment.from_on, assignment.to_on, assignment.due_on))
    return assignments


def due_date_on(days, day):
    return next((due for first, last, due in days if first <= day <= last), None)


def compare_day_by_day(before, after):
    """Day by day: who joins, who leaves, whose due date changes, each with the first such day."""
    differences = {"joins": {}, "leaves": {}, "due_changes": {}}
    for key in sorted({*before, *after}):
        old_days, new_days = before.get(key, []), after.get(key, [])
        edges = {
            d for f, t, _ in (*old_days, *new_days) for d in (f, t if t == OPEN_END else t + timedelta(1))
        }
        for day in sorted(edges):
            old, new = due_date_on(old_days, day), due_date_on(new_days, day)
            if old == new:
                continue
            kind = "joins" if old is None else "leaves" if new is None else "due_changes"
            differences[kind].setdefault(key, (day, new or old))
    return differences


def summarise_effects(effects, names=None):
    differences = {"joins": {}, "leaves": {}, "due_changes": {}}
    for effect in effects:
        for what, group in differences.items():
            for each in getattr(effect, what):
                number = names[each.person_id] if names else each.staff_number
                group[effect.reference, number] = (each.first, each.due_on)
    return differences


def issue(file, previewed=None):
    return record_proposal(partial(propose_version, file), Confirmation(stamp(), previewed=previewed))


@FEW
@given(posts=POSTS, first=RULES, second=RULES, day=DAYS)
def test_the_preview_of_a_version_is_what_happens(database, posts, first, second, day):
    with undone():
        make_world(), apply_roster(roster_rows(posts, 1))
        names = dict(db.session.execute(select(PersonName.person_id, PersonName.staff_number)).all())
        held = load_assignments()
        for file in (directive_file(date(2024, 12, 1), first), directive_file(day, second)):
            effect, token = propose_version(file).preview()
            with transaction():
                issue(file, token)
            now = load_assignments()
            assert summarise_effects([effect], names) == compare_day_by_day(held, now)
            assert all(each.first >= file.effective_on for each in (*effect.joins, *effect.leaves))
            held = now
        # The second is still to come.
        propose = partial(propose_version_withdrawal, "PRE-1", 2, date(2024, 12, 31))
        effect, staged = propose().compute_effect(), stage_version(propose())
        with transaction():
            write_version(staged, record_proposal(propose, Confirmation(stamp())))
        assert summarise_effects([effect], names) == compare_day_by_day(held, load_assignments())
        assert reconcile_all() == []
        assert rebuild_status(False) == []
        assert tasks.check_counts(False) == []
        held = load_assignments()
        propose = partial(propose_withdrawal, "PRE-1", day + timedelta(30))
        effect = propose().compute_effect()
        with transaction():
            record_proposal(propose, Confirmation(stamp()))
        assert summarise_effects([effect], names) == compare_day_by_day(held, load_assignments())


@FEW
@given(posts=POSTS, later=POSTS, one=RULES, two=RULES)
def test_the_preview_of_a_roster_is_what_happens(database, posts, later, one, two):
    with undone():
        make_world(), apply_roster(roster_rows(posts, 1))
        for reference, said_of in (("PRE-1", one), ("PRE-2", two)):
            with transaction():
                issue(directive_file(date(2024, 12, 1), said_of, reference))
        held = load_assignments()
        coming = roster_rows(later, 3)  # some are of people there already
        made = plan_rows(coming)
        effects = effect_of_posts(made.post_changes, made.unit_plan, clock.today()).audiences
        apply_roster(coming)
        assert summarise_effects(effects) == compare_day_by_day(held, load_assignments())


@FEW
@given(posts=POSTS, between=st.one_of(st.just([]), POSTS), first=RULES, second=RULES, day=DAYS)
def test_what_was_worked_out_before_the_lock_is_what_follows(database, posts, between, first, second, day):
    with undone():
        make_world(), apply_roster(roster_rows(posts, 1))
        for file in (directive_file(date(2024, 12, 1), first), directive_file(day, second)):
            staged = stage_version(propose_version(file))
            apply_roster(roster_rows(between, 3))  # some are of people there already
            with transaction():
                write_version(staged, issue(file))
            assert reconcile_all() == []
            assert rebuild_status(False) == []
            assert tasks.check_counts(False) == []


def test_a_directive_that_changed_meanwhile_is_worked_out_again(database):
    (
        make_world(),
        apply_roster(
            roster_rows([(0, "response", "Constable", ("Force", "North"), date(2025, 1, 1), 30)], 1)
        ),
    )
    said_first = {"audience": [{"designated_role": ["response"]}], "exceptions": []}
    said_first |= {"due_fixed_on": date(2026, 4, 30), "due_days_after_joining": None}
    staged = stage_version(propose_version(directive_file(date(2024, 12, 1), said_first)))
    with transaction():
        issue(directive_file(date(2024, 12, 1), said_first, "OTHER-1"))
    with transaction():
        write_version(staged, issue(directive_file(date(2024, 12, 1), said_first)))

    assert rebuild_status(False) == []
    assert tasks.check_counts(False) == []
    assert sorted(load_assignments()) == [("OTHER-1", "P1"), ("PRE-1", "P1")]
