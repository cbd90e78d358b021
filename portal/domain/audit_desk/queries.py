"""Lists of acts, newest first: a page deep down costs what the first one does."""

import heapq
import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, literal_column, or_, select, union_all

from portal.domain.accounts.grants import role_words
from portal.domain.audit_desk.action_words import GROUP_WORDS, ActionGroup, actions_of, list_actions
from portal.domain.people.models import PersonName
from portal.domain.people.queries import find_seen_person
from portal.domain.people.sight import units_allowing
from portal.domain.people.units import read_tree
from portal.domain.people.visibility import Viewer, visible_people
from portal.platform import wording as say
from portal.platform.audit import AuditEvent, Channel, FilePeople, Outcome, holds_person
from portal.platform.clock import (
    LONDON,
    end_of_day,
    format_utc,
    from_microseconds,
    london_day,
    now,
    to_microseconds,
)
from portal.platform.db import db
from portal.platform.permissions import Permission, Role
from portal.platform.tables.columns import csv_text

# Filters of the audit trail, and the place in it from which a page goes on.

_LONGEST_PLACE = 40
Conditions = list[ColumnElement[bool]]


@dataclass(frozen=True)
class AuditFilters:
    """Which acts are listed; each field that is None matches all."""

    from_on: date | None = None  # London days, both included
    to_on: date | None = None
    by_id: int | None = None  # the person who acted
    about_id: int | None = None  # the person it was done to
    group: ActionGroup | None = None
    outcome: Outcome | None = None
    channel: Channel | None = None
    address: str | None = None
    request_id: str | None = None

    def conditions(self) -> Conditions:
        """WHERE clauses of everything but the group."""
        event = AuditEvent
        found: Conditions = []
        if self.from_on:
            found.append(event.happened_at > end_of_day(self.from_on - timedelta(days=1)))
        if self.to_on:
            found.append(event.happened_at <= end_of_day(self.to_on))
        values: list[tuple[Any, Any]] = [
            (event.actor_id, self.by_id), (event.subject_id, self.about_id), (event.outcome, self.outcome),
            (event.channel, self.channel), (event.address, self.address), (event.request_id, self.request_id),
        ]  # fmt: skip
        found += [column == value for column, value in values if value is not None]
        return [*found, *self._conditions_of_partial_indexes()]

    def _conditions_of_partial_indexes(self) -> Iterator[ColumnElement[bool]]:
        """What follows from the other clauses, in the words of the indexes that hold few rows."""
        if self._asks_for_what_was_not_done:
            yield AuditEvent.outcome != literal_column("'done'")
        if self._asks_for_a_rare_channel:
            yield AuditEvent.channel.not_in([literal_column("''"), literal_column("'page'")])
        if self.address:
            yield AuditEvent.address != literal_column("''")
        if self.request_id:
            yield AuditEvent.request_id != literal_column("''")

    @property
    def _asks_for_what_was_not_done(self) -> bool:
        return self.outcome not in (None, Outcome.DONE)

    @property
    def _asks_for_a_rare_channel(self) -> bool:
        return self.channel not in (None, Channel.PAGE)

    @property
    def leads_an_index(self) -> bool:
        """Whether a filter other than the group finds few rows by an index of its own."""
        values = (self.by_id, self.about_id, self.address, self.request_id)
        is_rare = self._asks_for_what_was_not_done or self._asks_for_a_rare_channel
        return is_rare or any(value is not None for value in values)

    def audit_detail(self) -> dict[str, Any]:
        """The filters for the audit event of reading; the person concerned is its subject."""
        values = {
            "from_on": self.from_on and self.from_on.isoformat(),
            "until": self.to_on and self.to_on.isoformat(),
            "by": self.by_id,
            "group": self.group,
            "outcome": self.outcome,
            "channel": self.channel,
            "address": self.address,
            "request_id": self.request_id,
        }
        return {name: value for name, value in values.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Place:
    """From where on a page goes: acts of this instant and earlier, without the first few of the instant.

    It names no number of a row: those count acts that the reader may not see.
    """

    at: datetime
    skip: int = 0

    def __str__(self) -> str:
        return f"{to_microseconds(self.at)}-{self.skip}"

    @classmethod
    def parse(cls, text: str) -> "Place | None":
        """The place that an address names; None if it is malformed."""
        microseconds, dash, skip = text.partition("-")
        if len(text) > _LONGEST_PLACE or not dash or not (microseconds.isdecimal() and skip.isdecimal()):
            return None
        if not text.isascii():
            return None
        try:
            return cls(from_microseconds(int(microseconds)), min(int(skip), 10**6))
        except OverflowError:
            return None

    def after(self, instants: list[datetime]) -> "Place":
        """The place after a page with these instants, newest first, that began here."""
        last = instants[-1]
        same = instants.count(last)
        return Place(last, same + (self.skip if last == self.at else 0))


START = Place(datetime(9999, 1, 1, tzinfo=UTC))


# The sentence of one audit event, and its details as pairs of words.

PERSON_KEYS = frozenset(
    {"by", "about", "asked_by"}
)  # ids of people: named only as far as the reader may see them
HIDDEN_KEYS = PERSON_KEYS | {"unit_id", "facts", "draft", "sha256", "digest"}  # of use to the database alone
LONGEST_VALUE = 200
_OPTIONAL = re.compile(r"\[([^][]*)\]")
_FIELD = re.compile(r"\{(\w+)\}")
_PAGES = {
    "person": "training",
    "record": "record",
    "account": "account",
    "decision": "requests and decisions",
    "data_request": "request about their data",
    "attempts": "attempts",
    "reminder": "reminders",
    "copy": "text that they showed",
    "disclosures": "who saw this person’s data",
}
_KEY_WORDS = {
    "as_at": "as at",
    "as_known_on": "as known on",
    "from_on": "from",
    "until": "until",
    "kept_class": "class of data",
}


def sentence_of(action: str, detail: Mapping[str, Any], unit: str = "") -> str:
    """What was done, in plain words; the bare action where this release has none for it.

    Args:
        action: Of the event.
        detail: Of the event.
        unit: The label of the unit that the detail names; empty if it names none.
    """
    words = list_actions().get(action)
    if words is None:
        return action
    fields = {key: value_words(key, value) for key, value in detail.items() if value is not None}
    fields |= {"unit": unit} if unit else {}
    shown = _OPTIONAL.sub(lambda part: part[1] if _has_all(part[1], fields) else "", words.text)
    return _FIELD.sub(lambda field: fields.get(field[1], "(not recorded)"), shown)


def _has_all(text: str, fields: Mapping[str, str]) -> bool:
    return all(fields.get(name) for name in _FIELD.findall(text))


def _day_words(value: Any) -> str:
    return say.date(date.fromisoformat(str(value)))


_WORDS: dict[str, Callable[[Any], str]] = {
    "role": lambda value: role_words(Role(value)),
    "people": lambda value: say.plural(value, "person", "people"),
    "rows": lambda value: say.plural(value, "row"),
    "minutes": lambda value: say.plural(value, "minute"),
    "page": lambda value: _PAGES.get(value, value),
    "format": lambda value: str(value).upper(),
    "until": _day_words,
    "on": _day_words,
    "day": _day_words,
    "from_on": _day_words,
    "as_at": _day_words,
    "as_known_on": lambda value: exact_time(datetime.fromisoformat(value)),
}
ISO_DAY = 10  # characters
_ISO = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d\S*)?$")
_NAMES = frozenset(
    {"reference", "directive", "module", "guide", "event_type", "name", "token", "endpoint", "message", "job"}
)


def value_words(key: str, value: Any) -> str:
    """One value of a detail as pages say it: on one line, and never longer than a line or two."""
    try:
        text = _WORDS[key](value) if key in _WORDS else _plain_words(key, value)
    except (TypeError, ValueError):  # a value of another release
        text = str(value)
    line = " ".join(str(text).split())
    return line if len(line) <= LONGEST_VALUE else f"{line[:LONGEST_VALUE]}…"


def _plain_words(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return say.number(value)
    if isinstance(value, list):
        return ", ".join(value_words(key, item) for item in value)
    if key in _NAMES:
        return str(value)
    return _time_words(str(value)) if _ISO.match(str(value)) else str(value).replace("_", " ")


def _time_words(text: str) -> str:
    """A day or an instant in ISO 8601 in words; of other texts a ValueError."""
    if len(text) == ISO_DAY:
        return _day_words(text)
    return exact_time(datetime.fromisoformat(text))


def detail_pairs(detail: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The details of an event that people can read, each with its name."""
    for key, value in detail.items():
        if key not in HIDDEN_KEYS and value not in (None, "", []):
            yield _KEY_WORDS.get(key, key.replace("_", " ")).capitalize(), value_words(key, value)


def exact_time(moment: datetime) -> str:
    """The second of an instant in London, with its offset's name: an hour comes twice each October.

    >>> from datetime import UTC
    >>> [exact_time(datetime(2026, 10, 25, hour, 30, tzinfo=UTC)) for hour in (0, 1)]
    ['01:30:00 BST on 25 October 2026', '01:30:00 GMT on 25 October 2026']
    """
    return f"{moment.astimezone(LONDON):%H:%M:%S %Z} on {say.date(moment)}"


# Which acts a reader of the audit trail may see, and whom of them by name.
#
# A reader for the whole force sees every act. One for a unit sees the acts by and on people they may see;
# the other person of such an act, and where that one was, stays unnamed.

ACT = Permission.AUDIT_VIEW
UNSEEN = "Somebody outside your units"
ERASED = "Erased"


@dataclass(frozen=True, slots=True)
class ActPerson:
    """A person of an act, as far as the reader may know them."""

    name: str
    staff_number: str = ""  # empty: no link


@dataclass(frozen=True)
class AuditSight:
    """What one reader may see of the audit trail."""

    viewer: Viewer

    @cached_property
    def is_whole(self) -> bool:
        """Whether they see the whole force."""
        return units_allowing(self.viewer, ACT) is None

    def conditions(self, filters: AuditFilters) -> Conditions:
        """WHERE clauses: only acts that the reader may see, also where filters ask from where they came."""
        if self.is_whole:
            return []
        people = visible_people(self.viewer, ACT)
        by_seen = AuditEvent.actor_id.in_(people)
        if filters.address or filters.request_id or filters.channel:
            # Where somebody out of sight was, or by which way they came, is not to be found out by a filter.
            return [or_(by_seen, and_(AuditEvent.actor_id.is_(None), AuditEvent.subject_id.in_(people)))]
        return [or_(by_seen, AuditEvent.subject_id.in_(people))]

    def find_person(self, staff_number: str) -> int:
        """The id of a person whom the reader may see."""
        return find_seen_person(self.viewer, staff_number, ACT)

    def visible_among(self, ids: Collection[int]) -> set[int]:
        """Those of these people whom the reader may see."""
        if self.is_whole or not ids:
            return set(ids)
        return set(db.session.scalars(visible_people(self.viewer, ACT, ids)))

    def name_people(self, ids: Iterable[int | None]) -> dict[int, ActPerson]:
        """The people with these ids by name, or without where the reader may not see them."""
        wanted = {person_id for person_id in ids if person_id is not None}
        visible = self.visible_among(wanted)
        statement = select(
            PersonName.person_id, PersonName.forenames, PersonName.surname, PersonName.staff_number
        ).where(PersonName.person_id.in_(visible))
        names = {
            person_id: ActPerson(f"{forenames} {surname}".strip(), number)
            for person_id, forenames, surname, number in db.session.execute(statement)
        }
        return {
            person_id: names.get(person_id, ActPerson(ERASED if person_id in visible else UNSEEN))
            for person_id in wanted
        }


_NEWEST_FIRST = (AuditEvent.happened_at.desc(), AuditEvent.id.desc())
BATCH = 1_000  # acts of a file in memory at a time


def list_events(
    sight: AuditSight, filters: AuditFilters, place: Place = START, *, limit: int
) -> Sequence[AuditEvent]:
    """The acts that the reader may see, from a place on. One statement."""
    conditions = [*filters.conditions(), *sight.conditions(filters)]
    if place is not START:
        conditions.append(AuditEvent.happened_at <= place.at)
    statement = select(AuditEvent).order_by(*_NEWEST_FIRST).offset(place.skip).limit(limit)
    if filters.group is None:
        return db.session.scalars(statement.where(*conditions)).all()
    actions = actions_of(filters.group)
    if filters.leads_an_index or not sight.is_whole:
        return db.session.scalars(statement.where(*conditions, AuditEvent.action.in_(actions))).all()
    newest = _select_newest_of_each(actions, conditions, place.skip + limit)
    return db.session.scalars(statement.where(AuditEvent.id.in_(newest))).all()


def _select_newest_of_each(actions: Sequence[str], conditions: Conditions, limit: int) -> Select[int]:
    """The ids of the newest acts of each action: each is read from its own end of the index of actions.

    ``action IN (…)`` would read all acts of all of them, and sort them.
    """
    each = [
        select(AuditEvent.id)
        .where(AuditEvent.action == action, *conditions)
        .order_by(*_NEWEST_FIRST)
        .limit(limit)
        .subquery()
        for action in actions
    ]
    ids = union_all(*(select(one.c.id) for one in each)).subquery()
    return select(ids.c.id)


def newest_id() -> int:
    """The id of the newest act; a file holds acts up to it, so that its count is true."""
    return db.session.scalar(select(func.max(AuditEvent.id))) or 0


def count_events(sight: AuditSight, filters: AuditFilters, newest_id: int, most: int) -> int:
    """How many acts the reader may see, counted up to one more than ``most``."""
    ids = (
        select(AuditEvent.id)
        .where(*_conditions_of_file(sight, filters, newest_id))
        .limit(most + 1)
        .subquery()
    )
    return db.session.scalar(select(func.count()).select_from(ids)) or 0


def list_people_of_events(sight: AuditSight, filters: AuditFilters, newest_id: int) -> set[int]:
    """The ids of everybody whom the acts name and the reader may see."""
    conditions = _conditions_of_file(sight, filters, newest_id)
    people: set[int] = set()
    for column in (AuditEvent.actor_id, AuditEvent.subject_id):
        people.update(db.session.scalars(select(column).where(*conditions, column.is_not(None)).distinct()))
    return sight.visible_among(people)


def stream_events(sight: AuditSight, filters: AuditFilters, newest_id: int) -> Iterator[Sequence[AuditEvent]]:
    """The acts, newest first, ``BATCH`` at a time, each batch by a statement of its own."""
    conditions = _conditions_of_file(sight, filters, newest_id)
    last: AuditEvent | None = None
    while True:
        statement = select(AuditEvent).where(*conditions).order_by(*_NEWEST_FIRST).limit(BATCH)
        if last is not None:
            earlier = AuditEvent.happened_at < last.happened_at
            same = and_(AuditEvent.happened_at == last.happened_at, AuditEvent.id < last.id)
            statement = statement.where(AuditEvent.happened_at <= last.happened_at, or_(earlier, same))
        events = db.session.scalars(statement).all()
        if events:
            yield events
            last = events[-1]
            db.session.expunge_all()
        if len(events) < BATCH:
            return


def _conditions_of_file(sight: AuditSight, filters: AuditFilters, newest_id: int) -> Conditions:
    conditions = [*filters.conditions(), *sight.conditions(filters), AuditEvent.id <= newest_id]
    if filters.group:
        conditions.append(AuditEvent.action.in_(actions_of(filters.group)))
    return conditions


# One row of the audit desk: an act with who, on whom, from where and what became of it, in words.

OUTCOME_WORDS: dict[str, str] = {Outcome.DONE: "Done", Outcome.REFUSED: "Refused", Outcome.FAILED: "Failed"}
CHANNEL_WORDS: dict[str, str] = {
    Channel.PAGE: "On a page",
    Channel.TOKEN: "By an access token",
    Channel.COMMAND: "By a command",
    Channel.JOB: "By a job",
}
NOTICED = frozenset({"alert.many_refusals", "alert.many_failed_sign_ins"})
_PERSON_KEY_WORDS = {"by": "Filter: done by", "about": "Filter: done to", "asked_by": "Asked by"}


@dataclass(frozen=True, slots=True)
class Act:
    """One act as a page and a file say it."""

    happened_at: datetime
    action: str
    sentence: str
    group: str
    who: ActPerson
    whom: ActPerson | None
    address: str
    request_id: str
    channel: str  # in words; empty where the portal did not record it yet
    outcome: str
    details: tuple[tuple[str, str], ...]

    @property
    def outcome_words(self) -> str:
        """The outcome in a word."""
        return OUTCOME_WORDS.get(self.outcome, self.outcome)


def describe_events(sight: AuditSight, events: Sequence[AuditEvent]) -> list[Act]:
    """These events in words. One statement for their people, one for whom of them the reader may see.

    The tree of units is read where an event names a unit.
    """
    ids = [person_id for event in events for person_id in _people_of(event)]
    people = sight.name_people(ids)
    tree = read_tree() if any(event.detail.get("unit_id") for event in events) else None
    today = london_day(now())

    def describe(event: AuditEvent) -> Act:
        unit_id = event.detail.get("unit_id")
        unit = tree.last_label_on(unit_id, today) if tree and unit_id else ""
        who = people[event.actor_id] if event.actor_id is not None else _agent_of(event)
        named = who.name != UNSEEN
        return Act(
            happened_at=event.happened_at,
            action=event.action,
            sentence=sentence_of(event.action, event.detail, unit),
            group=GROUP_WORDS[list_actions()[event.action].group] if event.action in list_actions() else "",
            who=who,
            whom=people[event.subject_id] if event.subject_id is not None else None,
            address=event.address if named else "",
            request_id=event.request_id if named else "",
            channel=CHANNEL_WORDS.get(event.channel, "") if named else "",
            outcome=event.outcome,
            details=tuple(_details_of(event, people)),
        )

    return [describe(event) for event in events]


def _people_of(event: AuditEvent) -> list[int | None]:
    return [event.actor_id, event.subject_id, *_people_of_detail(event).values()]


def _people_of_detail(event: AuditEvent) -> dict[str, int]:
    """The people whom the details name, by key; what is no id is passed over."""
    values = {key: event.detail.get(key) for key in _PERSON_KEY_WORDS}
    return {key: value for key, value in values.items() if isinstance(value, int)}


def _agent_of(event: AuditEvent) -> ActPerson:
    """Who acted where no account did."""
    if event.action in NOTICED and event.channel != Channel.TOKEN:
        return ActPerson("The portal itself")
    if event.channel == Channel.TOKEN:
        return ActPerson(f"Access token {event.agent}")
    if event.channel == Channel.COMMAND:
        return ActPerson(f"Command {event.agent}")
    if event.channel == Channel.JOB:
        return ActPerson(f"The portal itself ({event.agent})")
    if event.channel == Channel.PAGE:
        return ActPerson("Somebody not signed in")
    return ActPerson("A command, or somebody not signed in")


def _details_of(event: AuditEvent, people: dict[int, ActPerson]) -> list[tuple[str, str]]:
    pairs = [("When", exact_time(event.happened_at))]
    for key, person_id in _people_of_detail(event).items():
        person = people[person_id]
        pairs.append((_PERSON_KEY_WORDS[key], f"{person.name} {person.staff_number}".strip()))
    return [*pairs, *detail_pairs(event.detail)]


# The audit trail as CSV: one row for each act, in the columns that ``COLUMNS`` names.

MOST_ROWS = 100_000  # of one file: about 20 seconds of a processor
COLUMNS = (
    "happened_at",
    "action",
    "what",
    "who",
    "who_staff_number",
    "on_whom",
    "on_whom_staff_number",
    "channel",
    "address",
    "outcome",
    "request_id",
    "details",
)


def csv_pieces(sight: AuditSight, filters: AuditFilters, newest_id: int) -> Iterator[str]:
    """The file in pieces, newest act first: RFC 4180, with a header, CRLF at line ends, instants in UTC."""
    yield f"{','.join(COLUMNS)}\r\n"
    for events in stream_events(sight, filters, newest_id):
        acts = describe_events(sight, events)
        yield "".join(f"{','.join(map(csv_text, _cells_of(act)))}\r\n" for act in acts)


def _cells_of(act: Act) -> Sequence[str]:
    details = {name: value for name, value in act.details if name != "When"}
    return (
        format_utc(act.happened_at),
        act.action,
        act.sentence,
        act.who.name,
        act.who.staff_number,
        act.whom.name if act.whom else "",
        act.whom.staff_number if act.whom else "",
        act.channel,
        act.address,
        act.outcome,
        act.request_id,
        json.dumps(details, ensure_ascii=False) if details else "",
    )


# Whenever somebody else saw or took one person's data: looks at their pages, and files that held them.

LOOKS = (*actions_of(ActionGroup.LOOKS), "audit.viewed")
FILES = actions_of(ActionGroup.FILES)
_READ = 200  # files at a time


def list_disclosures(person_id: int, place: Place = START, *, limit: int) -> list[AuditEvent]:
    """The acts by which others saw or took the person's data, from a place on, newest first.

    Two statements, and one for each ``limit`` files found: of files only the set of people is read.
    """
    wanted = place.skip + limit
    looks = select(AuditEvent).where(
        AuditEvent.subject_id == person_id,
        AuditEvent.action.in_(LOOKS),
        AuditEvent.actor_id.is_distinct_from(person_id),
        *_from(place),
    )
    statement = looks.order_by(*_NEWEST_FIRST).limit(wanted)
    events = [*db.session.scalars(statement), *_files_with(person_id, place, wanted)]
    newest = heapq.nlargest(wanted, events, key=lambda event: (event.happened_at, event.id))
    return newest[place.skip :]


def _files_with(person_id: int, place: Place, wanted: int) -> list[AuditEvent]:
    """The newest files that held the person and that somebody else made."""
    statement = (
        select(AuditEvent.id, FilePeople.people)
        .join(FilePeople, FilePeople.event_id == AuditEvent.id)
        .where(AuditEvent.actor_id.is_distinct_from(person_id), *_from(place))
        .order_by(*_NEWEST_FIRST)
        .execution_options(yield_per=_READ)
    )
    ids = list(_first_holding(statement, person_id, wanted))
    return list(db.session.scalars(select(AuditEvent).where(AuditEvent.id.in_(ids))))


def _first_holding(statement: Select[int, bytes], person_id: int, wanted: int) -> Iterator[int]:
    with db.session.execute(statement) as rows:
        for event_id, people in rows:
            if wanted == 0:
                return
            if holds_person(people, person_id):
                wanted -= 1
                yield event_id


def any_file_undescribed() -> bool:
    """Whether there are files that do not say whom they held: from before the portal recorded it."""
    described = select(FilePeople.event_id).where(FilePeople.event_id == AuditEvent.id).exists()
    undescribed = select(AuditEvent.id).where(AuditEvent.action.in_(FILES), ~described)
    return db.session.scalar(undescribed.limit(1)) is not None


def _from(place: Place) -> Conditions:
    return [] if place is START else [AuditEvent.happened_at <= place.at]
