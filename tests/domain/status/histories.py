"""Random histories: a small world, and acts that record, correct, void, back-date and move."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import select

from portal.domain.directives.models import Exclusion
from portal.domain.people.models import Post, UnitState
from portal.domain.people.positions import is_known_fact
from portal.domain.records.models import Record, Registration, Revocation
from portal.platform import clock
from portal.platform.db import OPEN_END, db, newest_stamp, stamp, touch, transaction
from tests.domain.status.facts import (
    make_activity,
    make_directive,
    make_exclusion,
    make_module_version,
    make_record,
    make_revocation,
    make_start,
    make_version,
)
from tests.factories.people import make_person, make_unit

START = date(2024, 1, 1)
SPECIAL = [date(2024, 2, 29), date(2024, 8, 31), date(2025, 2, 28), date(2025, 4, 30), date(2026, 4, 30)]
DAYS = st.one_of(
    st.sampled_from(SPECIAL), st.integers(0, 1000).map(lambda days: START + timedelta(days=days))
)
SPANS = st.tuples(DAYS, st.one_of(st.none(), st.integers(0, 500))).map(
    lambda pair: (pair[0], OPEN_END if pair[1] is None else pair[0] + timedelta(days=pair[1]))
)
VALIDITY = st.sampled_from(
    [{}, {"validity_months": 12}, {"validity_months": 6}, {"yearly_on": "04-30", "minimum_gap_months": 6}]
)
ROLES = st.sampled_from(["response", "contact", "student officer"])
SMALL = st.integers(0, 5)

ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), SMALL, SPANS, ROLES, SMALL),
        st.tuples(st.just("record"), SMALL, DAYS),
        st.tuples(st.just("record"), SMALL, DAYS),
        st.tuples(st.just("start"), SMALL, DAYS),
        st.tuples(st.just("revoke"), SMALL, DAYS),
        st.tuples(st.just("exclude"), SMALL, SPANS, st.booleans(), SMALL),
        st.tuples(st.just("move"), DAYS),
        st.tuples(st.just("version"), DAYS, VALIDITY, st.booleans(), SMALL),
        st.tuples(st.just("other_version"), DAYS, VALIDITY, st.booleans()),
        st.tuples(st.just("correct"), SMALL, SMALL, DAYS),
        st.tuples(st.just("void"), SMALL, SMALL),
    ),
    min_size=4,
    max_size=14,
)
CORRECTABLE = [Record, Exclusion, Revocation, Registration, Post, Record]


WAITS = st.lists(st.integers(0, 2000), min_size=15, max_size=15)  # hours before each act is recorded


class Recorded:
    """When things are recorded: from the first day of histories on, and later by hours."""

    def __init__(self, monkeypatch):
        self.at = datetime(START.year, START.month, START.day, 9, tzinfo=UTC)
        monkeypatch.setattr(clock, "now", lambda: self.at)

    def wait(self, hours):
        self.at += timedelta(hours=hours)


@dataclass
class History:
    """A force with two places, a unit that moves between them, two people, a directive of two modules.

    Another directive requires the second of these modules from whoever is not a student, wherever they are.
    """

    validity: dict[str, Any]
    stamps: list[datetime] = field(default_factory=list)

    def __post_init__(self) -> None:
        top = make_unit("Force")
        self.places = [make_unit("North", top), make_unit("South", top)]
        self.units = [*self.places, make_unit("Team", self.places[0])]
        self.people = [make_person(self.units[2]), make_person(self.units[1], until=date(2025, 3, 1))]
        self.activities = [make_activity(), make_activity()]
        self.module_versions = [make_module_version(activity) for activity in self.activities]
        self.directive, self.other = make_directive(), make_directive()
        self.versions = self.other_versions = 0
        self.version(START, self.validity, False, 0)
        self.note()

    def act(self, name: str, *arguments: Any) -> None:
        getattr(self, name)(*arguments)
        self.note()

    def note(self) -> None:
        newest = newest_stamp()
        assert newest is not None
        self.stamps.append(newest)

    def version(self, day: date, validity: dict[str, Any], withdrawn: bool, chosen: int) -> None:
        self.versions += 1
        positions = {n + 1: a for n, a in enumerate(self.activities) if chosen % 3 != n + 1}
        audience = {
            "audience": [
                {"designated_role": ["response"], "unit_under": [self.places[0]]},
                {"designated_role": ["contact"]},
            ],
            "except": [{"designated_role": ["student officer"], "unit_under": [self.places[1]]}],
        }
        make_version(
            self.directive,
            positions,
            number=self.versions,
            effective_on=day,
            withdrawn=withdrawn,
            due_days_after_joining=[None, 0, 30, 90][chosen % 4],
            audience=audience,
            **validity,
        )

    def other_version(self, day: date, validity: dict[str, Any], withdrawn: bool) -> None:
        self.other_versions += 1
        make_version(
            self.other,
            {1: self.activities[1]},
            number=self.other_versions,
            effective_on=day,
            withdrawn=withdrawn,
            due_days_after_joining=60,
            audience={"audience": [{"designated_role": ["response", "contact"]}]},
            **validity,
        )

    def post(self, who: int, days: tuple[date, date], role: str, where: int) -> None:
        """A post of one of two keys; what it would overlap is replaced by it, or void."""
        person, key = self.people[who % 2], "" if who < 4 else "second"
        with transaction():
            at = stamp()
            overlapping = list(
                db.session.scalars(
                    select(Post).where(
                        is_known_fact(Post),
                        Post.person_id == person,
                        Post.post_key == key,
                        Post.valid_from <= days[1],
                        Post.valid_to >= days[0],
                    )
                )
            )
            for old in overlapping[1:]:
                db.session.add(_copy(old, recorded_at=at, void=True))
            made = Post(
                recorded_at=at,
                replaces_id=overlapping[0].id if overlapping else None,
                person_id=person,
                post_key=key,
                rank_or_grade="Constable",
                designated_role=role,
                unit_id=self.units[where % 3],
                valid_from=days[0],
                valid_to=days[1],
            )
            db.session.add(made)
            touch(people=[person])

    def record(self, who: int, day: date) -> None:
        make_record(self.people[who % 2], self.activities[who % 3 % 2], day)

    def start(self, who: int, day: date) -> None:
        n = who % 3 % 2
        make_start(self.people[who % 2], self.activities[n], self.module_versions[n], day)

    def revoke(self, which: int, day: date) -> None:
        records = self._known(Record)
        if records:
            record = records[which % len(records)]
            make_revocation(record.person_id, record.id, day)

    def exclude(self, who: int, days: tuple[date, date], exempt: bool, later: int) -> None:
        due = None if exempt else min(days[1], date(2027, 1, 1)) + timedelta(days=10 * later)
        make_exclusion(self.people[who % 2], self.other if who == 4 else self.directive, *days, due)

    def move(self, day: date) -> None:
        """The team goes to the other place from a day on."""
        with transaction():
            at = stamp()
            team = select(UnitState).where(UnitState.unit_id == self.units[2], is_known_fact(UnitState))
            old = next(s for s in db.session.scalars(team) if s.valid_from <= day <= s.valid_to)
            other = next(place for place in self.places if place != old.parent_id)
            if old.valid_from < day:
                db.session.add(_copy(old, recorded_at=at, valid_to=day - timedelta(days=1)))
                db.session.add(_copy(old, recorded_at=at, valid_from=day, parent_id=other, replaces_id=None))
            else:
                db.session.add(_copy(old, recorded_at=at, parent_id=other))
            touch(units=[self.units[2]])

    def correct(self, kind: int, which: int, day: date) -> None:
        model = CORRECTABLE[kind]
        if model is not Post:  # posts are corrected by posts that overlap them
            self._replace(model, which, {"achieved_on": day, "from_on": day, "started_on": day})

    def void(self, kind: int, which: int) -> None:
        self._replace(CORRECTABLE[kind], which, {"void": True})

    def _replace(self, model: Any, which: int, changes: dict[str, Any]) -> None:
        facts = self._known(model)
        if not facts:
            return
        old = facts[which % len(facts)]
        changes = {k: v for k, v in changes.items() if hasattr(model, k)}
        if getattr(old, "to_on", OPEN_END) < changes.get("from_on", START):
            return
        with transaction():
            db.session.add(_copy(old, recorded_at=stamp(), **changes))
            owner = (
                old.person_id if model is not Revocation else db.session.get(Record, old.record_id).person_id
            )
            touch(people=[owner])

    def _known(self, model: Any) -> list[Any]:
        return list(db.session.scalars(select(model).where(is_known_fact(model)).order_by(model.id)))


def _copy(old: Any, **changes: Any) -> Any:
    values = {c.name: getattr(old, c.name) for c in old.__table__.columns if c.name != "id"}
    return type(old)(**{**values, "replaces_id": old.id, **changes})
