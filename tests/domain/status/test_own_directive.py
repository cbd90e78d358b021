"""A version costs what its own directive costs, and a rebuild the sum of that, however many there are."""

from datetime import date
from functools import partial

import pytest
from sqlalchemy import select

from portal.domain.directives.changes import propose_withdrawal
from portal.domain.directives.models import Directive
from portal.domain.directives.services import Confirmation, record_proposal
from portal.domain.status import projector, tasks
from portal.domain.status.projector import rebuild_status
from portal.domain.status.recording import stage_version, write_version
from portal.platform.db import db, transaction
from tests.domain.status.facts import (
    make_activity,
    make_directive,
    make_record,
    make_revocation,
    make_version,
)
from tests.domain.status.test_projector import statements
from tests.factories.people import make_person, make_unit

PEOPLE = 5
DAY = date(2026, 6, 1)


class Work:
    """What the projector loads and computes."""

    def __init__(self, monkeypatch):
        self.rows = 0  # assignments, records and status periods that were read
        self.projected = []  # a directive for each person for whom it was computed
        compute, load_rows, load_facts = projector.compute_periods, projector.load_rows, projector.load_facts

        def count_periods(facts, history, t):
            self.projected += facts.assignments
            return compute(facts, history, t)

        def count_rows(*args):
            rows = load_rows(*args)
            self.rows += sum(map(len, rows.values()))
            return rows

        def count_facts(*args):
            facts = load_facts(*args)
            for each in facts.values():
                for group in (each.assignments, each.records):
                    self.rows += sum(map(len, group.values()))
            return facts

        monkeypatch.setattr(projector, "compute_periods", count_periods)
        monkeypatch.setattr(projector, "load_rows", count_rows)
        monkeypatch.setattr(projector, "load_facts", count_facts)


def record_in_the_commit(directive, activity):
    make_version(directive, {1: activity}, number=2, effective_on=DAY)


def record_a_staged_version(directive, _activity):
    reference = db.session.scalar(select(Directive.reference).where(Directive.id == directive))
    propose = partial(propose_withdrawal, reference, DAY)
    staged = stage_version(propose())
    with transaction():
        write_version(staged, record_proposal(propose, Confirmation(projector.BEFORE_ALL)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "record", [record_in_the_commit, record_a_staged_version], ids=["in the commit", "staged"]
)
def test_a_version_loads_and_computes_its_own_directive_alone(database, monkeypatch, record):
    unit, activity = make_unit("Force"), make_activity()
    people = [make_person(unit) for _ in range(PEOPLE)]
    counts = []
    for others in (1, 8):
        for _ in range(others):
            other = make_activity()
            make_version(make_directive(), {1: other})
            make_record(people[0], other, date(2026, 5, 2))
        directive = make_directive()
        make_version(directive, {1: activity})
        with monkeypatch.context() as patches, statements() as seen:
            work = Work(patches)
            record(directive, activity)
        assert work.projected == [directive] * PEOPLE
        counts.append((len(seen), work.rows))

    assert counts[0] == counts[1]
    assert min(counts[0]) > 0
    assert rebuild_status(False) == []
    assert tasks.check_counts(False) == []


def test_a_rebuild_computes_each_directive_at_the_stamps_of_its_own_facts_alone(database, monkeypatch):
    """So that it takes as long as there are directives, and not as long as their square."""
    person, computed = make_person(make_unit("Force")), []
    compute = projector.compute_directive_periods

    def count_directive(facts, directive_id, history, t):
        computed.append((directive_id, t))
        return compute(facts, directive_id, history, t)

    monkeypatch.setattr(projector, "compute_directive_periods", count_directive)
    for number in range(1, 7):
        activity = make_activity()
        make_version(make_directive(), {1: activity})
        record = make_record(person, activity, date(2026, 5, 2))
        make_revocation(person, record, date(2026, 5, 20))
        computed.clear()
        assert rebuild_status(False) == []
        # Each at the stamps of the person's post, of its version, and of the record and its revocation.
        assert len(computed) == len(set(computed)) == 4 * number
