"""The manifest of taught events."""

from portal.feature import (
    FIRST,
    ActText,
    ContentFolder,
    DemoStep,
    DeskSource,
    Feature,
    MailKind,
    MenuItem,
    Part,
    PermissionGrant,
)
from portal.platform.permissions import Permission, Role

VIEW = Permission("events:event:view")  # dates, places, how many attend; sight decides which names
BOOK = Permission("events:booking:make")  # for people the holder sees
RUN = Permission("events:event:run")  # plan, group, keep the register, sign off

_LEARNING, _EVENTS, _CONTENT = "learning", "events", "content"  # groups of acts
_COMPOSE = "mails:compose_event_mail"

FEATURE = Feature(
    name="events",
    title="Events: dated, taught training with places, a register and sign-off",
    blueprints=("views:bp", "commands:bp"),
    models="models",
    tasks=("booking:TASKS",),
    permissions={
        VIEW: PermissionGrant(
            frozenset(
                {Role.MANAGER, Role.DIRECTIVE_OWNER, Role.FACILITATOR, Role.AUDITOR, Role.ADMINISTRATOR}
            )
        ),
        BOOK: PermissionGrant(frozenset({Role.MANAGER})),
        RUN: PermissionGrant(frozenset({Role.FACILITATOR})),
    },
    navigation=(
        MenuItem("Events", FIRST, "Events", "/events", RUN, "Taught events: plan, change and run them"),
        MenuItem(
            "Events",
            "Events",
            "Attendance",
            "/events/figures",
            RUN,
            "Who attended, places left, who is needed next",
        ),
        MenuItem("Events", "Attendance", "Rooms", "/events/rooms", RUN, "Where events are held"),
        MenuItem(
            "Monitoring",
            "Reminders",
            "Events",
            "/events",
            VIEW,
            "Taught events: dates, places and bookings",
        ),
        MenuItem(
            "Monitoring",
            "Events",
            "Attendance",
            "/events/figures",
            VIEW,
            "Who attended, and who is needed next",
        ),
        MenuItem(
            "Authoring",
            "Authoring",
            "Event types",
            "/events/types",
            Permission.AUTHORING_VIEW,
            "Kinds of taught event, and proposals of new versions",
        ),
        MenuItem(
            "My learning",
            "Records",
            "Events",
            "/events",
            Permission.LEARN,
            "Taught events: when and where, and places left",
        ),
    ),
    desk=(
        DeskSource("drafts", Permission.VERSION_PUBLISH, "Authoring", "parts:find_types", name="event types"),
        # Managers, who begin with their people.
        DeskSource("judgements sent back", BOOK, "", "parts:find_bookings", name="bookings"),
    ),
    begins={RUN: "/events"},
    acts={
        "event.printed": ActText("files", "Downloaded the {file} of event {event}[, {people}]"),
        "booking.made": ActText(
            _LEARNING,
            "Booked a place at event {event}, or put them down for one[: {state}]",
            outbox="Event: place booked",
        ),
        "booking.offered": ActText(
            _LEARNING, "Offered a place at event {event}", outbox="Event: place offered"
        ),
        "booking.cancelled": ActText(
            _LEARNING, "Cancelled a booking of event {event}", outbox="Event: place given back"
        ),
        "booking.lapsed": ActText(
            _LEARNING, "Let a booking of event {event} lapse", outbox="Event: offer lapsed"
        ),
        "booking.declined": ActText(
            _LEARNING, "Refused a booking of event {event}", outbox="Event: place declined"
        ),
        "booking.left": ActText(
            _LEARNING,
            "Ended a booking of event {event}: no longer required to attend",
            outbox="Event: place ended",
        ),
        "places.kept": ActText(_LEARNING, "Kept places at event {event} for the unit {unit}[: {places}]"),
        "places.freed": ActText(_LEARNING, "Stopped keeping places at event {event} for the unit {unit}"),
        "attendance.signed_off": ActText(_LEARNING, "Signed off at event {event}: {outcome}[, {reason}]"),
        "attendance.corrected": ActText(
            _LEARNING, "Corrected attendance at event {event}: {outcome}[, {reason}]"
        ),
        "event.grouped": ActText(_LEARNING, "Put {people} into syndicates of event {event}"),
        "register.noted": ActText(_LEARNING, "Noted {entries} in the register of event {event}"),
        "register.signed_in": ActText(_LEARNING, "Signed in at event {event} by the code in the room"),
        "event.planned": ActText(_EVENTS, "Planned event {event}"),
        "event.changed": ActText(_EVENTS, "Changed event {event}"),
        "event.cancelled": ActText(_EVENTS, "Cancelled event {event}"),
        "event.facilitator_named": ActText(
            _EVENTS, "Named them to run event {event}", outbox="Event: to be run"
        ),
        "event.facilitator_released": ActText(
            _EVENTS, "Named others to run event {event}", outbox="Event: run by somebody else"
        ),
        "event.move_told": ActText(
            _EVENTS, "Told them that event {event} moved or changed", outbox="Event: moved or changed"
        ),
        "event.cancellation_told": ActText(
            _EVENTS, "Told them that event {event} is cancelled", outbox="Event: cancelled"
        ),
        "event.reminded": ActText(_EVENTS, "Reminded them of event {event}", outbox="Event: near"),
        "event_room.saved": ActText(_EVENTS, "Saved the room {room}"),
        "event_type.proposed": ActText(_CONTENT, "Proposed version {number} of event type {event_type}"),
        "event_type.sent_back": ActText(_CONTENT, "Sent back what was proposed for event type {event_type}"),
        "event_type.withdrawn": ActText(_CONTENT, "Withdrew what was proposed for event type {event_type}"),
    },
    hears=("mails:queue_event_mails",),
    mails=(
        *(MailKind(kind, _COMPOSE, "") for kind in ("event_booked", "event_moved", "event_cancelled")),
        MailKind("place_offered", _COMPOSE, ""),
        MailKind("event_reminder", _COMPOSE, "", plan="mails:remind_of_events", after="queue_evidence_mails"),
    ),
    content=(ContentFolder("event_types", "modules", "type_proposals:publish_folder"),),
    parts=(
        Part("learning.events", "parts:show_own_events"),
        Part("learning.event", "parts:find_requirement_page"),
        Part("monitoring.waiting", "parts:find_bookings"),
        Part("monitoring.panes", "parts:show_attendance", BOOK),
        Part("person.timeline", "timeline:list_entries"),
        Part("authoring.dashboard", "parts:find_tasks"),
        Part("authoring.event", "parts:address_of_type"),
    ),
    personal_data="personal_data:TABLES",
    not_personal={
        "event": "events by their references",
        "event_room": "rooms with their directions",
    },
    references="personal_data:REFERENCES",
    kept_classes="disposals:CLASSES",
    demo=(
        DemoStep("past", "held event", FIRST, "demo.held:hold_event"),
        DemoStep("today", "events", FIRST, "demo.planning:plan_and_book"),
        DemoStep("again", "event types", "modules", "demo.types:publish_again"),
    ),
)
