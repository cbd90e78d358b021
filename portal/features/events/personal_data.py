"""Marks of the tables of taught events, and how an event is named in them."""

from sqlalchemy import select

from portal.domain.subject_access.register.marks import LEARNING, WORK, PersonalTable, View, mark_proposals
from portal.domain.subject_access.register.people import FACT
from portal.features.events.models import Event

_RECORDED = {"recorded_at": "Recorded"}
_TAKEN_BACK = {"void": "Taken back by a correction"}

TABLES = (
    (
        "clarity_reply",
        PersonalTable(
            "booking",
            LEARNING,
            "events",
            (
                View("Your places at events", "person_id"),
                View("Places at events that you booked for others", "booked_by_id", "event_id asked_at"),
            ),
            {
                "event_id": "Event",
                "state": "State",
                "state_at": "Since",
                "offered_until": "Place kept until",
                "way": "How it was booked",
                "syndicate": "Syndicate",
                "asked_at": "Asked for",
            },
            people={"person_id": "you", "booked_by_id": "who booked"},
            technical="id activity_id sitting",
        ),
    ),
    (
        "booking",
        PersonalTable(
            "booking_change",
            LEARNING,
            "events",
            (
                View("What became of your places at events", "booking_id person_id"),
                View("Places of others at events that you changed", "by_id", "state recorded_at"),
            ),
            {"booking_id": "Event", "state": "State", "reason": "Reason", **_RECORDED},
            people={"by_id": "who changed it"},
            technical="id",
        ),
    ),
    (
        "booking_change",
        PersonalTable(
            "register_entry",
            LEARNING,
            "events",
            (
                View("What was noted of you at events", "person_id"),
                View("What you noted of others at events", "noted_by_id", "event_id noted_at"),
            ),
            {"event_id": "Event", "kind": "What", "noted_at": "When", "means": "How", **_RECORDED},
            people={"person_id": "you", "noted_by_id": "who noted it"},
            technical="key",
        ),
    ),
    (
        "register_entry",
        PersonalTable(
            "attendance_outcome",
            LEARNING,
            "record",
            (
                View("What was signed off of you at events", "person_id"),
                View("What you signed off of others at events", "signed_off_by_id", "event_id signed_off_on"),
            ),
            {
                "event_id": "Event",
                "outcome": "Outcome",
                "reason": "Reason",
                "signed_off_on": "Signed off",
                **_TAKEN_BACK,
                **_RECORDED,
            },
            people={"person_id": "you", "signed_off_by_id": "who signed it off"},
            technical=f"{FACT} record_id",
        ),
    ),
    (
        "event_type_version",
        mark_proposals("event_type_proposal", "Event types", "content", {"key": "Event type"}),
    ),
    (
        "event_type_proposal",
        PersonalTable(
            "event_version",
            WORK,
            "record",
            (View("Events you planned, moved or cancelled", "changed_by_id"),),
            {
                "event_id": "Event",
                "held_on": "Day",
                "reason": "Reason",
                "cancelled": "Cancelled",
                **_TAKEN_BACK,
                **_RECORDED,
            },
            people={"changed_by_id": "who changed it"},
            technical=f"{FACT} number type_version_id starts_at ends_at room_id syndicates places notes",
        ),
    ),
    (
        "event_version",
        PersonalTable(
            "event_facilitator",
            WORK,
            "record",
            (View("Events you run", "person_id"),),
            {"event_version_id": "Event"},
            people={"person_id": "a facilitator"},
        ),
    ),
    (
        "event_facilitator",
        PersonalTable(
            "place_reservation",
            WORK,
            "record",
            (View("Places at events that you reserved for units", "reserved_by_id"),),
            {"event_id": "Event", "unit_id": "Unit", "places": "Places", "until_on": "Until"},
            people={"reserved_by_id": "who reserved them"},
            technical="id",
        ),
    ),
)
REFERENCES = {"event": (select(Event.id, Event.reference), str)}
