"""Mails about events, written from the data of the moment of sending, with an entry for the calendar."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from email.utils import parseaddr
from typing import Any
from urllib.parse import quote

from sqlalchemy import insert, select

from portal.domain.directives.applies import split_into_batches
from portal.domain.reminders.message_texts import (
    NO_ADDRESS,
    NothingToSend,
    Paragraph,
    PortalDetails,
    compose_letter,
    read_window,
)
from portal.domain.reminders.models import EVENT_KINDS, Delivery, Message, MessageKind, NoticeLine
from portal.domain.reminders.notices import JOB
from portal.domain.reminders.queries import Addressee, list_addressees, read_acts
from portal.domain.reminders.rules import SendWindow
from portal.domain.reminders.sending import mail_hours, relay_is_set
from portal.features.events.models import Booking, BookingChange, Event
from portal.features.events.places import HOLDS_A_PLACE
from portal.features.events.queries import (
    EventDetails,
    EventFilters,
    event_details,
    list_events,
    write_event_file,
)
from portal.platform import clock
from portal.platform.audit import AuditEvent, log
from portal.platform.clock import end_of_day
from portal.platform.db import db
from portal.platform.formats.calendar_files import CalendarMethod
from portal.platform.jobs import services as jobs
from portal.platform.mail import CalendarPart, Letter
from portal.platform.wording import clock_time, instant
from portal.platform.wording import date as date_words

OVERTAKEN = "A later message says what holds now."

# The subject and first sentence of a mail about an end: of the event, or of what an act ended.
_END_WORDS = {
    "event": ("Cancelled: {}", "This event is cancelled:"),
    "event.facilitator_released": ("Somebody else runs: {}", "You do not run this event any more:"),
    "booking.lapsed": ("Offer ended: {}", "The place that was kept for you is open to others again:"),
    "booking.declined": ("No place: {}", "You were not given a place at this event:"),
    **dict.fromkeys(
        ("booking.cancelled", "booking.left"), ("No place: {}", "You have no place at this event any more:")
    ),
}


def compose_event_mail(row: Message, now: datetime, portal: PortalDetails) -> Letter | NothingToSend:
    """Write the mail about an event as it is now, or say why there is none."""
    reader = list_addressees([row.person_id], clock.london_day(now)).get(row.person_id)
    if reader is None or not reader.has_post:
        return NothingToSend("This person has left or was erased.")
    if not reader.email:
        return NothingToSend(NO_ADDRESS)
    act = read_acts(row.id)[0]
    event = event_details(act.detail["event"])
    if event.starts_at <= now:
        return NothingToSend("The event has begun.")
    if _is_overtaken(act, reader.person_id):
        return NothingToSend(OVERTAKEN)
    return _EventLetter(MessageKind(row.kind), act, event, reader, portal, now).write_letter()


def _is_overtaken(act: AuditEvent, person_id: int) -> bool:
    """Whether a later mail about the same event goes, or went, to the same person."""
    later = (
        select(AuditEvent)
        .join(NoticeLine, NoticeLine.event_id == AuditEvent.id)
        .join(Message, Message.id == NoticeLine.message_id)
        .where(
            Message.person_id == person_id,
            Message.kind.in_(EVENT_KINDS),
            Message.state.in_((Delivery.WAITING, Delivery.SENDING, Delivery.SENT)),
            AuditEvent.id > act.id,
        )
    )
    return any(other.detail["event"] == act.detail["event"] for other in db.session.scalars(later))


class _EventLetter:
    """One mail about an event: its words, and the entry for the reader's calendar."""

    def __init__(
        self,
        kind: MessageKind,
        act: AuditEvent,
        event: EventDetails,
        reader: Addressee,
        portal: PortalDetails,
        now: datetime,
    ) -> None:
        self.kind, self.act, self.event, self.reader = kind, act, event, reader
        self.portal, self.now = portal, now
        self.runs = event.is_run_by(reader.person_id)
        self.booking = _newest_booking(event.id, reader.person_id)
        self.state = "" if self.booking is None else self.booking.state

    def write_letter(self) -> Letter | NothingToSend:
        """The mail, or why it need not be sent any more."""
        writers: dict[MessageKind, Callable[[], Letter | NothingToSend]] = {
            MessageKind.EVENT_BOOKED: self._about_place,
            MessageKind.EVENT_MOVED: self._about_move,
            MessageKind.EVENT_CANCELLED: self._about_end,
            MessageKind.PLACE_OFFERED: self._about_offer,
            MessageKind.EVENT_REMINDER: self._about_day,
        }
        return writers[self.kind]()

    @property
    def _comes(self) -> bool:
        return not self.event.cancelled and (self.runs or self.state == "booked")

    def _about_place(self) -> Letter | NothingToSend:
        if not self._comes:
            return NothingToSend("This person does not come to the event any more.")
        words = "You run this event:" if self.runs else "You have a place at this event:"
        return self._letter(f"{self.event.title}, {date_words(self.event.starts_at)}", words, "REQUEST")

    def _about_move(self) -> Letter | NothingToSend:
        if self.booking is not None and self.state == "offered" and not self.event.cancelled:
            until = instant(self.booking.offered_until)
            words = f"A place at this event is kept for you until {until}. The event has changed. It is now:"
            return self._letter(f"Changed: {self.event.title}", words)
        if not self._comes:
            return NothingToSend("This person does not come to the event any more.")
        return self._letter(f"Changed: {self.event.title}", "This event has changed. It is now:", "REQUEST")

    def _about_end(self) -> Letter | NothingToSend:
        if self._comes:
            return NothingToSend("This person has a place again.")
        if self.act.action.startswith("booking.") and not _held_a_place(self.act):
            return NothingToSend("This person had no place.")
        subject, words = _END_WORDS["event" if self.event.cancelled else self.act.action]
        return self._letter(subject.format(self.event.title), words, "CANCEL")

    def _about_offer(self) -> Letter | NothingToSend:
        booking = self.booking
        if booking is None or booking.state != "offered" or booking.offered_until is None:
            return NothingToSend("The place is not on offer any more.")
        if booking.offered_until <= self.now:
            return NothingToSend("The time to take the place is over.")
        words = f"A place came free. It is kept for you until {instant(booking.offered_until)}:"
        return self._letter(f"A place is offered to you: {self.event.title}", words)

    def _about_day(self) -> Letter | NothingToSend:
        if not self._comes:
            return NothingToSend("This person does not come to the event any more.")
        words = "You run this event:" if self.runs else "You have a place at this event:"
        return self._letter(f"On {date_words(self.event.starts_at)}: {self.event.title}", words, "REQUEST")

    def _letter(self, subject: str, words: str, method: str = "") -> Letter:
        event = self.event
        items = [
            event.title,
            f"{date_words(event.starts_at)}, {clock_time(event.starts_at)} to {clock_time(event.ends_at)}",
            event.room,
        ]
        paragraphs = [Paragraph(words, tuple(items))]
        if event.reason and self.kind in {MessageKind.EVENT_MOVED, MessageKind.EVENT_CANCELLED}:
            paragraphs.append(Paragraph(f"Why: {event.reason}"))
        if method != "CANCEL":
            paragraphs += [Paragraph(text) for text in (event.notes, event.directions) if text]
        link = f"{self.portal.address}/events/{quote(event.reference, safe='')}"
        paragraphs.append(Paragraph("See the event:", link=link))
        foot = (
            f"{self.portal.force} sent this from its learning portal because of your place or your part in "
            "this event. Replies are not read."
        )
        letter = compose_letter(self.reader, subject, paragraphs, foot=foot)
        return replace(letter, calendar=self._calendar_part(CalendarMethod(method))) if method else letter

    def _calendar_part(self, method: CalendarMethod) -> CalendarPart:
        content = write_event_file(
            self.event,
            force=self.portal.force,
            address=self.portal.address,
            at=self.now,
            method=method,
            organiser=parseaddr(self.portal.sender)[1],
            attendee=self.reader.email or "",
        )
        return CalendarPart(content.decode(), str(method))


def _newest_booking(event_id: int, person_id: int) -> Booking | None:
    statement = select(Booking).where(Booking.event_id == event_id, Booking.person_id == person_id)
    return db.session.scalar(statement.order_by(Booking.id.desc()).limit(1))


def _held_a_place(act: AuditEvent) -> bool:
    """Whether the person of an act that ended a booking had a place at the event, or the offer of one."""
    held = (
        select(BookingChange.id)
        .join(Booking, Booking.id == BookingChange.booking_id)
        .join(Event, Event.id == Booking.event_id)
        .where(
            Booking.person_id == act.subject_id,
            Event.reference == act.detail["event"],
            BookingChange.state.in_(HOLDS_A_PLACE),
        )
    )
    return db.session.scalar(held.limit(1)) is not None


# Queues mails about events: one for each act that concerns a person, in the act's transaction.

_KIND_OF = {
    "event.facilitator_named": MessageKind.EVENT_BOOKED,
    "event.facilitator_released": MessageKind.EVENT_CANCELLED,
    "event.move_told": MessageKind.EVENT_MOVED,
    "event.cancellation_told": MessageKind.EVENT_CANCELLED,
    "event.reminded": MessageKind.EVENT_REMINDER,
    "booking.offered": MessageKind.PLACE_OFFERED,
    "booking.cancelled": MessageKind.EVENT_CANCELLED,
    "booking.declined": MessageKind.EVENT_CANCELLED,
    "booking.lapsed": MessageKind.EVENT_CANCELLED,
    "booking.left": MessageKind.EVENT_CANCELLED,
}


def kind_of_act(act: AuditEvent) -> MessageKind | None:
    """The kind of mail that follows from an act; None if none does."""
    if act.action == "booking.made":  # the others wait for a place or an approval, and have none yet
        return MessageKind.EVENT_BOOKED if act.detail.get("state", "booked") == "booked" else None
    return _KIND_OF.get(act.action)


def queue_event_mails(acts: Sequence[AuditEvent]) -> None:
    """Queue a mail about each of these acts of events to the person it concerns; pass over other acts.

    Args:
        acts: The audit events of this transaction.
    """
    told = [(act, kind) for act in acts if act.subject_id is not None and (kind := kind_of_act(act))]
    if not told:
        return
    at = clock.now()
    references = {act.id: uuid.uuid4() for act, _ in told}
    rows: list[dict[str, Any]] = [
        {
            "reference": references[act.id],
            "person_id": act.subject_id,
            "kind": kind,
            "state": Delivery.WAITING,
            "created_at": at,
            "not_before": mail_hours().next_allowed(at) if kind is MessageKind.EVENT_REMINDER else at,
            "tries": 0,
        }
        for act, kind in told
    ]
    db.session.execute(insert(Message), rows)
    ids: dict[uuid.UUID, int] = {}
    for batch in split_into_batches(list(references.values())):
        found = select(Message.reference, Message.id).where(Message.reference.in_(batch))
        ids.update({reference: message_id for reference, message_id in db.session.execute(found)})
    lines = [{"message_id": ids[reference], "event_id": act_id} for act_id, reference in references.items()]
    db.session.execute(insert(NoticeLine), lines)
    if relay_is_set() and any(kind is not MessageKind.EVENT_REMINDER for _, kind in told):
        jobs.start_job_once(JOB, at)


# Reminders of events that are near: noted as acts, from which their mails follow.

DAYS_BEFORE = (7, 1)


def remind_of_events(day: date, *, at: datetime, hours: SendWindow) -> int:
    """Remind everybody who has a place at an event that is near, or runs it; return how many.

    For days on which nothing was planned, events still ahead get one late reminder.
    """
    after = read_window(day).after
    marks = [day - timedelta(days=back) for back in range(min((day - after).days, max(DAYS_BEFORE)))]
    held_on = {mark + timedelta(days=days) for mark in marks for days in DAYS_BEFORE}
    filters = EventFilters(
        begins_after=end_of_day(day), begins_before=end_of_day(day + timedelta(days=max(DAYS_BEFORE)))
    )
    events = [event for event in list_events(filters) if event.held_on in held_on and not event.cancelled]
    readers = {event.id: {person.person_id for person in event.facilitators} for event in events}
    booked = select(Booking.event_id, Booking.person_id).where(
        Booking.event_id.in_(readers), Booking.state == "booked"
    )
    for event_id, person_id in db.session.execute(booked) if readers else ():
        readers[event_id].add(person_id)
    for event in events:
        for person_id in sorted(readers[event.id]):
            log(
                "event.reminded",
                actor_id=None,
                subject_id=person_id,
                event=event.reference,
                number=event.number,
            )
    return sum(len(people) for people in readers.values())
