"""Reads events from facts: what one webhook has to hear of a window of time.

No event is written where a fact is recorded. The data of an event names nobody: the staff number, as it is
when the message is sent, is put in then, so the outbox holds no personal data of its own.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID, uuid5

from sqlalchemy import select

from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import Directive, DirectiveVersion, Requirement
from portal.domain.people.models import PersonName
from portal.domain.people.positions import (
    ChangeWindow,
    WindowPoint,
    find_people_with_changed_posts,
    list_presence_changes,
    units_of_people,
)
from portal.domain.people.queries import units_under
from portal.domain.records.models import Record
from portal.domain.records.queries import drop_unknown_time
from portal.domain.status.changes import find_people_with_changed_periods, list_status_transitions
from portal.domain.status.counts import Scope, Whose
from portal.domain.status.queries import people_in_report
from portal.features.webhooks.models import EventType
from portal.platform import clock
from portal.platform.db import db

PRESENCE = (EventType.PERSON_JOINED, EventType.PERSON_LEFT)


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """Something that happened, as one webhook hears of it.

    Attributes:
        type: What.
        key: Tells it from all other events of its type, however often it is collected.
        happened_at: The instant of its fact, or the beginning of the day that brought it.
        person_id: Whom it is about; None: nobody.
        data: Without the staff number.
    """

    type: EventType
    key: str
    happened_at: datetime
    person_id: int | None
    data: dict[str, Any]

    def id_for(self, webhook: UUID) -> UUID:
        """The id of the message about it to a webhook; it depends on nothing else."""
        return uuid5(webhook, f"{self.type} {self.key}")


@dataclass(frozen=True, slots=True)
class EventScope:
    """What a webhook hears of: some types of events, perhaps of one unit or one directive alone."""

    types: frozenset[EventType]
    unit_id: int | None = None
    directive_id: int | None = None

    def find_people(self, window: ChangeWindow) -> list[int]:
        """The people about whom there may be events, in the order in which they are collected."""
        people: set[int] = set()
        if EventType.STATUS_CHANGED in self.types:
            people |= find_people_with_changed_periods(window, self.directive_id)
        if self.types.intersection(PRESENCE):
            people |= find_people_with_changed_posts(window)
        if EventType.PASS_RECORDED in self.types:
            recorded = (Record.recorded_at > window.since_at, Record.recorded_at <= window.until_at)
            people.update(db.session.scalars(select(Record.person_id).where(*recorded)))
        return sorted(people)

    def list_person_events(self, window: ChangeWindow, people: Collection[int]) -> list[WebhookEvent]:
        """The events about these people; of one person in the order of time.

        Args:
            window: The way from the last position to the next.
            people: Ids; as many as one statement takes.
        """
        units = self._units(window)
        events: list[WebhookEvent] = []
        if EventType.PASS_RECORDED in self.types:
            events += self._list_passes(window, people, units)
        if EventType.STATUS_CHANGED in self.types:
            events += self._list_transitions(window, people, units)
        if self.types.intersection(PRESENCE):
            events += self._list_presence(window, people, units)
        return sorted(events, key=lambda event: event.happened_at)

    def _units(self, window: ChangeWindow) -> set[int] | None:
        """The units that the webhook hears of, as the tree is at the window's end; None: all."""
        if self.unit_id is None:
            return None
        return units_under(self.unit_id, window.until_on, window.until_at)

    def _list_transitions(
        self, window: ChangeWindow, people: Collection[int], units: set[int] | None
    ) -> Iterator[WebhookEvent]:
        transitions = list_status_transitions(window, people, unit_ids=units, directive_id=self.directive_id)
        references, activities = _directive_references(), _activities_by_place()
        records = _record_references({each.record_id for each in transitions if each.record_id})
        for each in transitions:
            place = (each.directive_id, each.position)
            data = {
                "directive": references[each.directive_id],
                **activities.get(place, {"requirement_kind": None, "requirement": None}),
                "old_status": each.old.key if each.old else None,
                "new_status": each.new.key if each.new else None,
                "due_on": each.due_on.isoformat(),
                "record_reference": records.get(each.record_id or 0),
            }
            yield _build_person_event(
                EventType.STATUS_CHANGED, each.person_id, each.point, data, key=f"{place}"
            )

    def _list_presence(
        self, window: ChangeWindow, people: Collection[int], units: set[int] | None
    ) -> Iterator[WebhookEvent]:
        for each in list_presence_changes(window, people, units):
            kind = EventType.PERSON_JOINED if each.joined else EventType.PERSON_LEFT
            if kind in self.types:
                name = "first_day" if each.joined else "last_day"
                data = {name: each.day.isoformat() if each.day else None}
                yield _build_person_event(kind, each.person_id, each.point, data)

    def _list_passes(
        self, window: ChangeWindow, people: Collection[int], units: set[int] | None
    ) -> Iterator[WebhookEvent]:
        required = self._required_activities()
        for stamp, rows in groupby(_new_records(window, people), key=lambda row: row[0].recorded_at):
            point = next(window.order_points((), [stamp]))
            records = [row for row in rows if required is None or row[0].activity_id in required]
            concerned = self._people_in_scope({row[0].person_id for row in records}, point, units)
            for record, kind, key in records:
                if record.person_id in concerned:
                    yield _build_pass_event(record, kind, key, point)

    def _people_in_scope(self, people: set[int], point: WindowPoint, units: set[int] | None) -> set[int]:
        """Those of these people of whom the webhook hears at a position."""
        if people and units is not None:
            places = units_of_people(people, point)
            people = {person for person in people if places.get(person, set()) & units}
        if people and self.directive_id is not None:
            scope = Scope((self.directive_id,), point.day, point.known_on, Whose(everyone=True))
            people = people_in_report(scope, people)
        return people

    def _required_activities(self) -> set[int] | None:
        """The activities that the webhook's directive requires or required; None: any."""
        if self.directive_id is None:
            return None
        statement = (
            select(Requirement.activity_id)
            .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
            .where(DirectiveVersion.directive_id == self.directive_id)
        )
        return set(db.session.scalars(statement))

    def list_directive_events(self, window: ChangeWindow) -> list[WebhookEvent]:
        """A version was issued, or withdrawn before its day, in the order of time."""
        if EventType.DIRECTIVE_ISSUED not in self.types:
            return []
        version = DirectiveVersion
        statement = (
            select(version, Directive.reference)
            .join(Directive, Directive.id == version.directive_id)
            .where(version.recorded_at > window.since_at, version.recorded_at <= window.until_at)
            .order_by(version.id)
        )
        if self.directive_id is not None:
            statement = statement.where(version.directive_id == self.directive_id)
        rows = [(row, reference) for row, reference in db.session.execute(statement)]
        requirements = _requirements_of_versions({row.id for row, _ in rows})
        return [_build_directive_event(row, ref, requirements.get(row.id, [])) for row, ref in rows]


def _build_person_event(
    kind: EventType, person_id: int, point: WindowPoint, data: dict[str, Any], key: str = ""
) -> WebhookEvent:
    """The event, with the day of the report in which it is seen; no stamp brought what came at midnight."""
    known = point.stamp.isoformat() if point.stamp else ""
    as_at = {"as_at": point.day.isoformat()}
    return WebhookEvent(
        kind, f"{person_id} {key} {point.day} {known}", point.reached_at, person_id, {**data, **as_at}
    )


def _build_pass_event(record: Record, kind: str, key: str, point: WindowPoint) -> WebhookEvent:
    data = {
        "requirement_kind": kind,
        "requirement": key,
        "source": record.source,
        "achieved_at": clock.format_day_or_instant(drop_unknown_time(record.achieved_at, record.source)),
        "record_reference": record.reference,
        "corrects": record.replaces_id is not None,
    }
    return _build_person_event(EventType.PASS_RECORDED, record.person_id, point, data, key=f"{record.id}")


def _build_directive_event(
    version: DirectiveVersion, reference: str, requirements: list[dict[str, Any]]
) -> WebhookEvent:
    data = {
        "directive": reference,
        "version": version.number,
        "effective_on": version.effective_on.isoformat(),
        "withdrawn": version.withdrawn or version.void,
        "requirements": requirements,
    }
    return WebhookEvent(EventType.DIRECTIVE_ISSUED, f"{version.id}", version.recorded_at, None, data)


def _new_records(window: ChangeWindow, people: Collection[int]) -> Iterator[tuple[Record, str, str]]:
    statement = (
        select(Record, Activity.kind, Activity.key)
        .join(Activity, Activity.id == Record.activity_id)
        .where(Record.recorded_at > window.since_at, Record.recorded_at <= window.until_at)
        .where(Record.person_id.in_(sorted(people)), Record.void.is_(False))
        .order_by(Record.id)
    )
    yield from ((record, kind, key) for record, kind, key in db.session.execute(statement))


def _directive_references() -> dict[int, str]:
    return {
        number: reference
        for number, reference in db.session.execute(select(Directive.id, Directive.reference))
    }


def _activities_by_place() -> dict[tuple[int, int], dict[str, str]]:
    """Kind and key of what each position of each directive requires; it stays the same for ever."""
    statement = (
        select(DirectiveVersion.directive_id, Requirement.position, Activity.kind, Activity.key)
        .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
        .join(Activity, Activity.id == Requirement.activity_id)
    )
    return {
        (directive_id, position): {"requirement_kind": kind, "requirement": key}
        for directive_id, position, kind, key in db.session.execute(statement)
    }


def _requirements_of_versions(versions: set[int]) -> dict[int, list[dict[str, Any]]]:
    statement = (
        select(Requirement.directive_version_id, Activity.kind, Activity.key)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Requirement.directive_version_id.in_(sorted(versions)))
        .order_by(Requirement.directive_version_id, Requirement.position)
    )
    requirements: dict[int, list[dict[str, Any]]] = {}
    for version_id, kind, key in db.session.execute(statement):
        requirements.setdefault(version_id, []).append({"requirement_kind": kind, "requirement": key})
    return requirements


def _record_references(ids: set[int]) -> dict[int, str]:
    references: dict[int, str] = {}
    numbers = sorted(ids)
    for first in range(0, len(numbers), 500):
        part = select(Record.id, Record.reference).where(Record.id.in_(numbers[first : first + 500]))
        references.update((number, reference) for number, reference in db.session.execute(part))
    return references


# Renders the message of an event. The person's staff number is put in when it is sent.


def render_message(
    kind: str, happened_at: datetime, person_id: int | None, staff_number: str | None, data: Mapping[str, Any]
) -> bytes:
    """The message of an event, in JSON.

    Args:
        kind: Its type.
        happened_at: When it happened.
        person_id: Whom it is about.
        staff_number: Of that person; None where they were erased.
        data: The rest.
    """
    subject = {"staff_number": staff_number} if person_id is not None else {}
    message = {"type": kind, "timestamp": clock.format_utc(happened_at), "data": {**subject, **data}}
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode()


def find_staff_numbers(people: Collection[int]) -> dict[int, str]:
    """The staff numbers of these people as they are now; those who were erased have none."""
    statement = select(PersonName.person_id, PersonName.staff_number)
    rows = db.session.execute(statement.where(PersonName.person_id.in_(sorted(people))))
    return {person_id: number for person_id, number in rows}
