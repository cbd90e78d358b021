"""Writes a story as facts: as it is, or with everything changed that a viewer may not see."""

from datetime import date, timedelta
from typing import Any

import time_machine
from sqlalchemy import select

from portal.domain.accounts import services
from portal.domain.accounts.services import SignInOrigin
from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import Directive, Exclusion
from portal.domain.people.models import Post
from portal.domain.people.positions import is_known_fact
from portal.domain.people.units import move_unit, rename_unit
from portal.domain.records.models import Record
from portal.domain.reminders import services as reminders
from portal.domain.reminders.rules import SendWindow
from portal.platform import clock
from portal.platform.db import OPEN_END, db, stamp, touch, transaction
from tests.domain.status.facts import (
    add,
    make_exclusion,
    make_module_version,
    make_record,
    make_revocation,
    make_start,
    make_version,
    noon,
)
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.monitoring.hidden import (
    FIRST,
    LATER,
    LOOKERS,
    NOON,
    PARENTS,
    PEOPLE,
    Hidden,
    Looker,
    Story,
    links,
)

REFERENCES = ("OIC-1", "OIC-2")
PATHS = {"south": "Force/local/south", "crime": "Force/crime", "roads": "Force/roads"}
DAY = timedelta(days=1)


class Telling:
    """A story as facts; where ``hidden`` is given, with all of that changed.

    Every act is recorded at the same instant in either, and a last one in both: so the newest stamp is the
    same. What was hidden is left out or made otherwise, by turns; a person and a unit are added.
    """

    def __init__(self, story: Story, looker: Looker, hidden: Hidden | None = None) -> None:
        self.story, self.looker, self.hidden = story, looker, hidden
        self.units: dict[str, int] = {}
        self.people: dict[str, int] = {}
        self.paths = dict(PATHS)
        self.written: dict[int, int] = {}  # ids of records and exclusions, by the act that wrote them first
        self.links = links(story)
        with time_machine.travel(FIRST - 40 * DAY, tick=False):
            self._begin()
        for number, act in enumerate(story.acts):
            with time_machine.travel(story.at(number), tick=False):
                self._act(number, *act)
        with time_machine.travel(NOON - DAY, tick=False):
            self._finish()

    def sign_in(self) -> str:
        """The token of a session of the looker."""
        with transaction():
            origin = SignInOrigin("192.0.2.1", "Test")
            token, _ = services.open_session(self.people[self.looker.number], origin, clock.now())
        return token

    def _begin(self) -> None:
        for name, parent in PARENTS.items():
            label = "Force" if name == "force" else name
            self.units[name] = make_unit(label, self.units[parent] if parent else None)
        for one in (each.number for each in LOOKERS):
            unit = {"stranger": "crime", "sergeant": "south"}.get(one, "local")
            words = {"surname": one.capitalize(), "role": "supervision", "rank": "Inspector"}
            self.people[one] = make_person(self.units[unit], staff_number=one, **words)
        for each in LOOKERS:
            for unit in (each.units or (None,)) if each.role else ():
                make_grant(self.people[each.number], each.role, self.units[unit] if unit else None)
        self.activities = [add(Activity(kind="module", key=f"module-{n}")) for n in range(2)]
        self.module_versions = [make_module_version(activity) for activity in self.activities]
        groups = ({"designated_role": ["response", "contact"]}, {"designated_role": ["response"]})
        rules = ({"due_fixed_on": date(2026, 4, 30)}, {"due_fixed_on": None, "due_days_after_joining": 30})
        self.directives = [add(Directive(reference=reference)) for reference in REFERENCES]
        for directive, group, rule in zip(self.directives, groups, rules, strict=True):
            asked = dict(enumerate(self.activities if rule["due_fixed_on"] else self.activities[:1], 1))
            audience = {"audience": [group], "except": []}
            first = {"effective_on": date(2026, 1, 1), "validity_months": 3, "expiring_days": 20}
            make_version(directive, asked, audience=audience, **first, **rule)
        for who, post in zip(PEOPLE, self.story.first, strict=True):
            self._person(who, post)

    def _person(self, who: str, post: tuple[str, str, str, str]) -> None:
        surname = f"Name {who}"
        if self.hidden and who in self.hidden.people:
            surname, post = f"Other {who}", self._otherwise(post, free=True)
        unit, role, rank, manager = post
        about = {"staff_number": who, "surname": surname, "role": role, "rank": rank}
        self.people[who] = make_person(self.units[unit], manager=self.people[manager], **about)

    def _otherwise(self, post: tuple[str, str, str, str], *, free: bool) -> tuple[str, str, str, str]:
        """Another post that the looker may not see either."""
        unit, role, _, manager = post
        if not self.looker.units:
            other = "roads" if unit == "north" else "north"
        else:
            out = [name for name in ("crime", "roads") if name not in self.looker.units and name != unit]
            other = out[0] if out and unit != "south" else unit
            manager = "sergeant" if manager == "stranger" else "stranger"
        turned = "response" if role == "custody" else "custody"
        return other, turned if free else role, "Colonel", manager

    def _finish(self) -> None:
        if self.hidden:
            if self.hidden.renames:
                with transaction():
                    rename_unit("Force/crime", "Force/Crime squad", on=NOON.date(), at=stamp())
            secret = make_unit("Secret squad", self.units["crime"])
            for n in range(2):
                about = {"staff_number": f"X{n}", "surname": "Extra"}
                other = "sergeant" if self.looker.number == "stranger" else "stranger"
                extra = make_person(secret, manager=self.people[other], **about)
                make_record(extra, self.activities[n], date(2026, 5, 1 + n), reference=f"OIC-X-{n}")
                make_exclusion(extra, self.directives[n], date(2026, 3, 1), date(2026, 3, 9))
        with time_machine.travel(NOON - DAY / 2, tick=False):
            make_person(self.units["crime"], staff_number="LAST", role="none")
            with transaction():
                reminders.plan_day(date(2026, 5, 2), at=clock.now(), hours=SendWindow())

    def _act(self, number: int, kind: str, who: str, day: date, *more: Any) -> None:
        changed = self.hidden is not None and number in self.hidden.facts
        left_out = changed and self.links.get(number, number) % 3 == 0
        if left_out or (kind in LATER and self.links.get(number) not in self.written):
            return  # what it is about was left out, or never was
        getattr(self, "_" + kind.replace(" ", "_"))(number, who, day + DAY if changed else day, *more)

    def _post(self, number: int, who: str, day: date, post: tuple[str, str, str, str]) -> None:
        if self.hidden and number in self.hidden.posts:
            post = self._otherwise(post, free=self.hidden.posts[number])
        unit, role, rank, manager = post
        words = {"rank_or_grade": rank, "designated_role": role, "line_manager_id": self.people[manager]}
        days = {"valid_from": day, "valid_to": OPEN_END}
        self._cut(who, day, Post(person_id=self.people[who], unit_id=self.units[unit], **words, **days))

    def _end(self, _number: int, who: str, day: date) -> None:
        self._cut(who, day)

    def _cut(self, who: str, day: date, begun: Post | None = None) -> None:
        """End every known post on the day before; one that begins later never was; then begin another."""
        person = self.people[who]
        with transaction():
            at = stamp()
            for held in list(
                db.session.scalars(select(Post).where(Post.person_id == person, is_known_fact(Post)))
            ):
                if held.valid_to < day:
                    continue
                void = held.valid_from >= day
                ends = held.valid_to if void else day - DAY
                db.session.add(_copy(held, recorded_at=at, void=void, valid_to=ends))
            db.session.flush()
            if begun is not None:
                begun.recorded_at = at
                db.session.add(begun)
            touch(people=[person])

    def _record(self, number: int, who: str, day: date, which: int) -> None:
        source = ["imported", "waived"][which % 2]
        if self.hidden and number in self.hidden.facts:
            source = "attended"
        reference = f"OIC-{who}-{number}"
        activity = self.activities[which % 2]
        self.written[number] = make_record(
            self.people[who], activity, day, source=source, reference=reference
        )

    def _shift(self, number: int, who: str, day: date, which: int) -> None:
        first = self.links[number]
        old = self._newest(Record, self.written[first])
        if old is not None:
            add(_copy(old, achieved_on=day, achieved_at=noon(day)), people=[self.people[who]])

    def _revoke(self, number: int, who: str, day: date, which: int) -> None:
        old = self._newest(Record, self.written[self.links[number]])
        if old is not None:
            make_revocation(self.people[who], old.id, day)

    def _exempt(self, number: int, who: str, day: date, length: int) -> None:
        due = None if length % 2 else min(day + length * DAY, date(2027, 1, 1)) + 10 * DAY
        reason = "other" if self.hidden and number in self.hidden.facts else "secondment"
        row = Exclusion(
            person_id=self.people[who],
            directive_id=self.directives[length % 3 % 2],
            exempt=due is None,
            reason=reason,
            from_on=day,
            to_on=day + length * DAY,
            due_on=due,
        )
        self.written[number] = add(row, people=[self.people[who]])

    def _exempt_again(self, number: int, who: str, day: date, which: int) -> None:
        old = self._newest(Exclusion, self.written[self.links[number]])
        if old is not None:
            length = old.to_on - old.from_on
            values = {"void": True} if which % 2 else {"from_on": day, "to_on": day + length}
            add(_copy(old, **values), people=[self.people[who]])

    def _start(self, number: int, who: str, day: date, which: int) -> None:
        version = self.module_versions[which % 2]
        self.written[number] = make_start(self.people[who], self.activities[which % 2], version, day)

    def _move(self, _number: int, unit: str, day: date, above: str) -> None:
        new = f"Force/{above}/south"
        if new != self.paths["south"] and day > getattr(self, "moved", date(2020, 1, 1)):
            with transaction():
                move_unit(self.paths["south"], new, on=day, at=stamp())
            self.paths["south"], self.moved = new, day

    def _newest(self, fact: Any, first: int) -> Any:
        """The known row of a chain of corrections; None where it was withdrawn."""
        row = db.session.get(fact, first)
        while (after := db.session.scalar(select(fact).where(fact.replaces_id == row.id))) is not None:
            row = after
        return None if row.void else row


def _copy(old: Any, **changes: Any) -> Any:
    values = {c.name: getattr(old, c.name) for c in old.__table__.columns if c.name != "id"}
    return type(old)(**{**values, "replaces_id": old.id, **changes})
