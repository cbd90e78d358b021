"""Rules that a process keeps between two facts are always those that are recorded."""

from datetime import date

import pytest

from portal.domain.status.models import StatusPeriod
from portal.domain.status.projector import rebuild_status
from portal.platform import clock
from portal.platform.db import db, settle, touch
from tests.domain.status import facts as make
from tests.domain.status.test_projector import statements
from tests.factories.people import make_person, make_unit

READS_RULES = "FROM requirement"  # the statement that reads what every version requires


def directives_of(person: int) -> set[int]:
    return set(
        db.session.scalars(db.select(StatusPeriod.directive_id).where(StatusPeriod.person_id == person))
    )


def reads_of_rules(person: int, activity: int) -> int:
    """How often the rules are read while a completion is recorded."""
    with statements() as seen:
        make.make_record(person, activity, date(2026, 5, 2))
    return sum(READS_RULES in statement for statement in seen)


def test_a_completion_reads_the_rules_once_after_each_that_is_recorded(database):
    activity, unit = make.make_activity(), make_unit("North")
    first = make.make_directive()
    make.make_version(first, {1: activity})
    person = make_person(unit)
    make.make_record(person, activity, date(2026, 5, 1))
    assert reads_of_rules(person, activity) == 0

    second = make.make_directive()
    make.make_version(second, {1: activity})
    assert (reads_of_rules(person, activity), reads_of_rules(person, activity)) == (1, 0)
    assert directives_of(make_person(unit)) == directives_of(person) == {first, second}

    moved = make_unit("South", unit)
    make.make_version(
        first, {1: activity}, number=2, audience={"audience": [{}], "except": [{"unit": moved}]}
    )
    make_unit("West", moved)
    assert reads_of_rules(person, activity) == 1
    assert rebuild_status(write=False) == []


def test_rules_that_were_rolled_back_are_forgotten(database, monkeypatch):
    """The next transaction may take the very stamp of one that was rolled back."""
    activity, person = make.make_activity(), make_person(make_unit("North"))
    given_up, issued = make.make_directive(), make.make_directive()
    instant = clock.now()
    monkeypatch.setattr(clock, "now", lambda: instant)
    tries = []

    def give_up(**touched):
        touch(people=[person], **touched)
        settle()
        tries.append(directives_of(person))
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(make, "touch", give_up)
        with pytest.raises(RuntimeError):
            make.make_version(given_up, {1: activity})
    make.make_version(issued, {1: activity})
    make.make_record(person, activity, date(2026, 5, 2))
    assert (tries, directives_of(person)) == ([{given_up}], {issued})
