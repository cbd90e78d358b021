"""Filters of the audit trail, and the place in it from which a page goes on."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, literal_column

from portal.domain.audit_desk.action_words import ActionGroup
from portal.platform.audit.models import AuditEvent, Outcome
from portal.platform.audit.origin import Channel
from portal.platform.clock import end_of_day, from_microseconds, to_microseconds

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
