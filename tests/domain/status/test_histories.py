"""On random histories the status periods, the pure rule, a witness in SQL and a rebuild agree."""

from datetime import date

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.directives.applies import RuleHistory, known_facts, load_posts
from portal.domain.directives.services import reconcile_all
from portal.domain.people.models import Post
from portal.domain.status import tasks
from portal.domain.status.models import StatusPeriod
from portal.domain.status.projector import load_facts, rebuild_status
from portal.domain.status.rules import Facts, Status
from portal.platform import clock
from portal.platform.clock import to_microseconds
from portal.platform.db import db
from tests.databases import undone
from tests.domain.status.facts import compute_status_as_known
from tests.domain.status.histories import ACTS, DAYS, VALIDITY, WAITS, History, Recorded
from tests.domain.status.reads import check_differences, check_reads
from tests.domain.status.witness import witnessed
from tests.examples import IN_ONE_TRANSACTION, few_or_many

QUIET = settings(
    max_examples=few_or_many(3, 20),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=IN_ONE_TRANSACTION,
)
INSTANTS = st.lists(st.tuples(DAYS, st.integers(0, 100)), min_size=6, max_size=6)


def reported(history, d, t):
    """The status periods of (d, t) by person and position."""
    at, day, s = to_microseconds(t), d.toordinal(), StatusPeriod
    query = select(s).where(
        s.directive_id == history.directive,
        s.from_on <= day,
        s.to_on >= day,
        s.known_from <= at,
        s.known_to > at,
    )
    rows = list(db.session.execute(query).scalars())
    by_position = {(row.person_id, row.position): row for row in rows}
    assert len(by_position) == len(rows), "two periods cover one point"
    return by_position


def as_values(row):
    day = date.fromordinal
    until = row.valid_until and day(row.valid_until)
    return (row.status, day(row.due_on), row.record_id, until, row.late_days, row.exclusion_id)


def by_function(history, d, t):
    """The pure rule for every person and position."""
    rules_known = RuleHistory()
    versions = rules_known.versions
    results = {}
    for person, facts in load_facts(history.people, rules_known).items():
        stretches = facts.assignments.get(history.directive, [])
        live = {rule.id for rule in known_facts(stretches, t)}
        for position, activity in enumerate(history.activities, 1):
            rules = [
                rule
                for rule in stretches
                if rule.id in live and (position, activity) in versions[rule.version_id].positions
            ]
            position_facts = Facts(
                rules,
                facts.exclusions.get(history.directive, []),
                facts.records.get(activity, []),
                facts.revocations.get(activity, []),
                facts.starts.get(activity, []),
            )
            status = compute_status_as_known(position_facts, d, t)
            if status:
                record, exclusion = status.record, status.exclusion
                results[person, position] = (
                    status.status,
                    status.due_on,
                    record and record.id,
                    status.valid_until,
                    status.late_days,
                    exclusion and exclusion.id,
                )
    return results


def person_status(statuses):
    worst = min(statuses)
    begun = any(s in (Status.IN_PROGRESS, Status.EXPIRING, Status.SATISFIED) for s in statuses)
    return Status.IN_PROGRESS if worst == Status.NOT_STARTED and begun else worst


def shown_posts(history, d, t):
    """The row's post of each person to whom the directive applies, by looking at one day alone."""
    rules, day, shown = RuleHistory(), d.toordinal(), {}
    own = (v for v in known_facts(rules.versions.values(), t) if v.directive_id == history.directive)
    versions = [v for v in own if v.effective <= day]
    if not versions or max(versions, key=lambda v: (v.effective, v.number)).withdrawn:
        return {}
    parents = {s.unit_id: s.parent_id for s in known_facts(rules.states, t) if s.first <= day <= s.last}
    for person, posts in load_posts(history.people).items():
        live = [p for p in known_facts(posts, t) if p.first <= day <= p.last and reaches(history, p, parents)]
        live.sort(key=lambda p: p.post_key)
        if live:
            shown[person] = says(max(live, key=lambda p: p.first))
    return shown


def says(post):
    """What a post says but for its days: a period names the first fact that said so."""
    return post.person_id, post.rank_or_grade, post.designated_role, post.unit_id, post.line_manager_id


def reaches(history, post, parents):
    """The audience of every history, in plain words: response in the north, or contact."""
    above, unit = set(), post.unit_id
    while unit is not None:
        above.add(unit)
        unit = parents.get(unit)
    north = history.places[0] in above
    return post.designated_role == "contact" or (post.designated_role == "response" and north)


@pytest.mark.slow
@QUIET
@given(acts=ACTS, validity=VALIDITY, instants=INSTANTS, waits=WAITS)
def test_periods_rule_and_witness_agree_and_the_past_stays(
    database, monkeypatch, acts, validity, instants, waits
):
    with undone():
        recorded = Recorded(monkeypatch)
        history = History(validity)
        reports = []
        for number, act in enumerate(acts):
            recorded.wait(waits[number])
            history.act(*act)
            day = instants[number % len(instants)][0]
            periods = {key: as_values(row) for key, row in reported(history, day, history.stamps[-1]).items()}
            reports.append((day, history.stamps[-1], periods))
        for day, turn in instants:
            t, newest = history.stamps[turn % len(history.stamps)], history.stamps[-1]
            check(history, day, t)
            for on in (day, clock.london_day(t)):
                both = reported(history, on, t), reported(history, on, newest)
                check_differences(history, on, t, newest, *both)
        for day, t, periods in reports:
            now = {key: as_values(row) for key, row in reported(history, day, t).items()}
            assert now == periods, "a report as known on an instant has changed"
        assert rebuild_status(False) == []
        assert tasks.check_counts(False) == []
        assert reconcile_all() == []


def check(history, day, t):
    periods = reported(history, day, t)
    check_reads(history, day, t, periods)
    by_position = {key: as_values(row) for key, row in periods.items() if key[1] > 0}
    assert by_position == by_function(history, day, t)
    assert by_position == witnessed(history.directive, day, t)
    posts = {person: says(db.session.get(Post, row.post_id)) for (person, _), row in periods.items()}
    assert posts == shown_posts(history, day, t)
    for person in {person for person, _ in periods}:
        whole, rows = periods[person, 0], [r for (p, n), r in periods.items() if p == person and n]
        assert whole.status == person_status([row.status for row in rows])
        assert {row.due_on for row in rows} == {whole.due_on}
        complete = all(Status(row.status).held for row in rows)
        assert whole.satisfied_on == (max(row.satisfied_on for row in rows) if complete else None)
        assert whole.late_days == (max(row.late_days or 0 for row in rows) if complete else None)


def test_the_witness_can_tell_a_difference(database):
    """A period changed by hand is noticed by each of the comparisons."""
    with undone():
        history = History({})
        day, t = date(2026, 1, 1), history.stamps[-1]
        check(history, day, t)
        row = next(row for key, row in reported(history, day, t).items() if key[1] == 1)
        row.status = Status.SATISFIED
        db.session.flush()

        with pytest.raises(AssertionError):
            check(history, day, t)
        assert len(rebuild_status(False)) == 1
