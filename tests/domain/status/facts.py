"""Facts of directives and of learning, each written in a transaction of its own."""

from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import count
from typing import Any

from portal.domain.catalogue.models import Activity, ModuleVersion
from portal.domain.directives.applies import known_facts
from portal.domain.directives.models import Directive, DirectiveVersion, Exclusion, Requirement
from portal.domain.records.models import Record, Registration, Revocation
from portal.domain.status.rules import Facts, RequirementStatus, compute_status
from portal.platform.db import OPEN_END, db, stamp, touch, transaction

_numbers = count(1)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def add(row: Any, **touched: Any) -> int:
    """The fact, stamped now, with whom it touches; returns its id."""
    with transaction():
        row.recorded_at = stamp()
        db.session.add(row)
        db.session.flush()
        touch(**touched)
        return row.id


def make_activity(kind: str = "module") -> int:
    return add(Activity(kind=kind, key=f"{kind}-{next(_numbers)}"))


def make_module_version(activity: int, number: int = 1) -> int:
    empty = dict.fromkeys(("title", "aim", "owner", "digest"), "x")
    version = ModuleVersion(
        activity_id=activity,
        number=number,
        review_on=date(2030, 1, 1),
        minutes=10,
        mastery_score=Decimal("0.8"),
        outcomes=[],
        draw=1,
        at_least_per_outcome=0,
        attempts=0,
        wait_minutes=0,
        test_out=False,
        published_at=noon(date(2024, 1, 1)),
        **empty,
    )
    return add(version)


def make_directive() -> int:
    return add(Directive(reference=f"DIR-{next(_numbers)}"))


def make_version(
    directive: int,
    activities: dict[int, int],
    *,
    number: int = 1,
    effective_on: date = date(2024, 1, 1),
    **rules: Any,
) -> int:
    """A version asking the activities at these positions of everyone, unless ``rules`` say otherwise."""
    given = {
        "due_fixed_on": date(2026, 4, 30),
        "due_days_after_joining": None,
        "validity_months": None,
        "yearly_on": None,
        "minimum_gap_months": None,
        "expiring_days": 60,
        "audience": {"audience": [{}], "except": []},
        **rules,
    }
    with transaction():
        version = DirectiveVersion(
            recorded_at=stamp(),
            directive_id=directive,
            number=number,
            effective_on=effective_on,
            title="A directive",
            source="A source",
            wording="Words",
            owner_id=None,
            target=Decimal(1),
            notice_days=[],
            **given,
        )
        db.session.add(version)
        db.session.flush()
        for position, activity in activities.items():
            db.session.add(
                Requirement(directive_version_id=version.id, position=position, activity_id=activity)
            )
        touch(directives=[directive])
        return version.id


def make_record(person: int, activity: int, on: date, **more: Any) -> int:
    more = {"source": "imported", "reference": f"OIC-{next(_numbers)}", "achieved_at": noon(on), **more}
    return add(Record(person_id=person, activity_id=activity, achieved_on=on, **more), people=[person])


def make_revocation(person: int, record: int, from_on: date, **more: Any) -> int:
    revoked = Revocation(record_id=record, from_on=from_on, reason="other", decided_by_id=person, **more)
    return add(revoked, people=[person])


def make_start(person: int, activity: int, version: int, on: date) -> int:
    begun = Registration(
        person_id=person, activity_id=activity, module_version_id=version, started_at=noon(on), started_on=on
    )
    return add(begun, people=[person])


def make_exclusion(
    person: int,
    directive: int,
    from_on: date,
    to_on: date = OPEN_END,
    due_on: date | None = None,
    **more: Any,
) -> int:
    """A deferral where ``due_on`` is given, else an exemption."""
    row = Exclusion(
        person_id=person,
        directive_id=directive,
        exempt=due_on is None,
        reason="secondment",
        from_on=from_on,
        to_on=to_on,
        due_on=due_on,
        **more,
    )
    return add(row, people=[person])


def add_activity(kind: str, key: str) -> int:
    return add(Activity(kind=kind, key=key))


def compute_status_as_known(facts: Facts, day: date, t: datetime) -> RequirementStatus | None:
    """The status on a day by those of the facts that are known on an instant."""
    lists = (
        facts.assignments,
        facts.exclusions,
        facts.records,
        facts.revocations,
        facts.starts,
        facts.minimums,
    )
    return compute_status(Facts(*(known_facts(rows, t) for rows in lists)), day)
