"""Forms with which a facilitator plans, changes and cancels events, and keeps the list of rooms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from flask import Blueprint
from wtforms import HiddenField, SelectField
from wtforms.fields import SelectChoice

from portal.domain.catalogue.models import EventTypeVersion
from portal.features.events.booking import CANCEL_REASONS
from portal.features.events.booking_queries import PersonToBook
from portal.features.events.models import EventRoom
from portal.features.events.places import RepeatedTimeError, instant_in_london, read_time, repeat_in_london
from portal.features.events.queries import EventPerson, RoomDetails
from portal.features.events.services import EventPlan
from portal.pages.layout.fields import (
    button,
    drop_down,
    one_day,
    radios,
    text_line,
    text_lines,
    tick_box,
    whole_number,
)
from portal.pages.layout.forms import (
    LONGEST_LINE,
    CheckboxesField,
    GovInput,
    PlainForm,
    PortalForm,
    WholeNumberField,
    mark_wrong,
)
from portal.platform.clock import LONDON, london_time
from portal.platform.errors import RuleError
from portal.platform.wording import date as date_words
from portal.platform.wording import plural

SHORT = "govuk-input--width-5"
LONGEST_NOTE = 2_000
MOST_DATES = 26  # of one series: a year, every two weeks
FIRST, SECOND = "first", "second"
WHICH = [
    SelectChoice(value=FIRST, label="The first, before the clocks go back"),
    SelectChoice(value=SECOND, label="The second, after the clocks went back"),
]


@dataclass(frozen=True, slots=True)
class PlanChoices:
    """What a plan can choose from."""

    types: dict[str, EventTypeVersion]
    rooms: Sequence[EventRoom]
    facilitators: Sequence[EventPerson]


def _number_field(label: str, message: str, *, least: int, most: int, **kwargs: Any) -> WholeNumberField:
    widget = GovInput(classes=SHORT, inputmode="numeric", autocomplete="off")
    return WholeNumberField(label, message=message, least=least, most=most, widget=widget, **kwargs)


def _type_choices(prompt: str, types: dict[str, EventTypeVersion]) -> list[SelectChoice]:
    choices = [SelectChoice(value=key, label=version.title) for key, version in types.items()]
    return [SelectChoice(value="", label=prompt), *choices]


class _PlanForm(PortalForm):
    """When and where an event is, and for how many."""

    day = one_day("Date", "For example, 10 June 2026", missing="Enter the date")
    start = text_line(
        "Start, UK time", "For example, 09:30", required="Enter the time at which it starts", classes=SHORT
    )
    which = radios("Which of the two times do you mean?", choices=WHICH, validate_choice=False)
    minutes = _number_field(
        "Length in minutes (optional)",
        "Enter a whole number from 15 to 720",
        least=15,
        most=720,
        optional=True,
        description="Leave this empty for the length that the event type has",
    )
    room = drop_down("Room", required="Select a room")
    places = _number_field("Places", "Enter how many people can come", least=1, most=500)
    syndicates = _number_field("Syndicates", "Enter the number of syndicates", least=1, most=50)
    facilitators = CheckboxesField("Facilitators")
    notes = text_lines(
        "Notes for people who attend (optional)",
        "Such as what to bring and where to park. They are in the email and in the calendar.",
        most=LONGEST_NOTE,
        rows=4,
    )
    asks_which = False  # whether the time comes twice on that day

    def offer_choices(self, plan_choices: PlanChoices, kept_room: int | None = None) -> None:
        """Offer the rooms that are open, and the people who may run events."""
        rooms = [room for room in plan_choices.rooms if not room.closed or room.id == kept_room]
        labels = {
            str(room.id): f"{room.name} ({plural(room.capacity, 'person', 'people')})" for room in rooms
        }
        self.room.choices = [
            SelectChoice(value="", label="Select a room"),
            *(SelectChoice(value=key, label=label) for key, label in labels.items()),
        ]
        people = {
            str(person.person_id): f"{person.name}, {person.staff_number}"
            for person in plan_choices.facilitators
        }
        if unknown := set(self.facilitators.data or []) - people.keys():
            self.facilitators.data = [value for value in self.facilitators.data if value not in unknown]
        self.facilitators.offer_values(list(people), people)

    def read_starts(self, count: int = 1, weeks: int = 1) -> list[datetime]:
        """The instants of the dates; empty: one is refused, and its field has the error."""
        at = read_time(self.start.data or "")
        if at is None:
            mark_wrong(self.start, "Enter a time of day, such as 09:30")
            return []
        second = {FIRST: False, SECOND: True}.get(self.which.data or "")
        day = self.day.day or date.min
        try:
            return repeat_in_london(day, at, weeks=weeks, count=count, second=second)
        except RepeatedTimeError as error:
            self.asks_which = True
            mark_wrong(self.which, str(error))
        except RuleError as error:
            mark_wrong(self.start, str(error))
        except OverflowError:
            mark_wrong(self.day, "Enter a date of the next three years")
        return []

    def show_refusal(self, field: str, sentence: str) -> None:
        """Show at its field why a plan is refused."""
        mark_wrong(self[field], sentence)

    def make_plan(self, starts_at: datetime, event_type: EventTypeVersion) -> EventPlan:
        """The plan that a valid form holds, for one of its dates."""
        return EventPlan(
            type_version_id=event_type.id,
            starts_at=starts_at,
            minutes=self.minutes.number or event_type.minutes,
            room_id=int(self.room.data),
            syndicates=self.syndicates.number or 1,
            places=self.places.number or 1,
            facilitators=tuple(sorted(int(value) for value in self.facilitators.chosen_values)),
            notes=(self.notes.data or "").strip(),
        )


class NewEventForm(_PlanForm):
    """A new event, or a series of them."""

    kind = drop_down("Event type", required="Select an event type")
    count = _number_field(
        "How many dates (optional)",
        f"Enter a whole number from 1 to {MOST_DATES}",
        least=1,
        most=MOST_DATES,
        if_empty=1,
        optional=True,
        description="More than one makes a series: the same room, people and UK time",
    )
    weeks = _number_field(
        "Weeks from one date to the next (optional)",
        "Enter a whole number from 1 to 52",
        least=1,
        most=52,
        if_empty=1,
        optional=True,
    )
    send = button("Plan the event")

    def offer_types(self, types: dict[str, EventTypeVersion]) -> None:
        """Offer the event types by title."""
        self.kind.choices = _type_choices("Select an event type", types)


class ChangeEventForm(_PlanForm):
    """Another time, room or size for an event."""

    number = HiddenField()  # of the version that the form was opened with
    reason = text_line(
        "Why it is moved",
        "Only if the date, time or room changes. Everybody who has a place reads it.",
        most=200,
    )
    send = button("Save the change")


class CancelEventForm(PortalForm):
    """Why an event is cancelled."""

    number = HiddenField()
    reason = text_line(
        "Why it is cancelled",
        "Everybody who has a place reads it.",
        required="Enter why it is cancelled",
        most=200,
    )
    send = button("Cancel the event", warning=True)


class RoomForm(PortalForm):
    """A room in which events are held."""

    name = text_line(
        "Name", "Such as “Training centre, room 1”", required="Enter the name of the room", most=100
    )
    capacity = _number_field("People it holds", "Enter how many people it holds", least=1, most=500)
    unit = text_line(
        "Unit that it is in or near (optional)",
        "The unit’s path or name. People of this unit are shown events here first.",
        most=LONGEST_LINE,
    )
    directions = text_lines(
        "Directions (optional)",
        "How to get there and in. They are in the email and in the calendar.",
        most=LONGEST_NOTE,
        rows=4,
    )
    closed = tick_box("No new events are planned here")
    send = button("Save")

    def make_details(self, unit_id: int | None) -> RoomDetails:
        """The details of a valid form."""
        return RoomDetails(
            name=self.name.data,
            unit_id=unit_id,
            capacity=self.capacity.number or 1,
            directions=(self.directions.data or "").strip(),
            closed=bool(self.closed.data),
        )


def _filter_field(label: str, *choices: tuple[str, str]) -> SelectField:
    options = [SelectChoice(value=value, label=text) for value, text in choices]
    return drop_down(label, choices=options, validate_choice=False)


class EventFilterForm(PlainForm):
    """Which events the list has."""

    type = _filter_field("Event type")
    order = _filter_field("In the order of", ("", "Their dates"), ("near", "How near they are to you"))
    free = _filter_field("Places", ("", "With or without places left"), ("yes", "With places left"))
    when = _filter_field("When", ("", "Upcoming"), ("past", "In the past"))

    def offer_types(self, types: dict[str, EventTypeVersion]) -> None:
        """Offer the event types by title."""
        self.type.choices = _type_choices("Every type", types)


def form_values_of(plan: EventPlan) -> dict[str, object]:
    """The values of a form's fields for a plan."""
    local = plan.starts_at.astimezone(LONDON)
    return {
        "day": date_words(local.date()),
        "start": london_time(plan.starts_at).removesuffix(" GMT"),
        "which": _which_of(local),
        "minutes": str(plan.minutes),
        "room": str(plan.room_id),
        "places": str(plan.places),
        "syndicates": str(plan.syndicates),
        "facilitators": [str(person_id) for person_id in plan.facilitators],
        "notes": plan.notes,
    }


def _which_of(local: datetime) -> str | None:
    """Which of two equal times a London time is; None where there is one."""
    try:
        instant_in_london(local.date(), time(local.hour, local.minute))
    except RepeatedTimeError:
        return SECOND if local.fold else FIRST
    return None


# Forms of bookings: giving a place back, choosing people, and keeping places for units.

MOST_PLACES = 500


class CancelPlaceForm(PortalForm):
    """Why somebody's place is given back."""

    reason = radios(
        "Why?",
        required="Choose a reason",
        classes="govuk-radios--small",
        bold=True,
        choices=[
            SelectChoice(value=key, label=words[0].upper() + words[1:])
            for key, words in CANCEL_REASONS.items()
        ],
    )
    cancel = button("Cancel booking", warning=True)


class ChoosePeopleForm(PortalForm):
    """People who still need to attend, with reasons why they may not be able to."""

    people = CheckboxesField("Who should come?")
    book = button("Book for them")

    def __init__(self, people: Sequence[PersonToBook], clashes: Mapping[int, Sequence[str]]) -> None:
        """Offer the people, each with a hint."""
        super().__init__()
        self.people.choices = [
            SelectChoice(
                value=person.staff_number,
                label=f"{person.name} ({person.staff_number})",
                render_kw={"hint": ". ".join([_need_of(person), *clashes[person.person_id]])},
            )
            for person in people
        ]

    def validate(self, extra_validators: Any = None) -> bool:
        """Require at least one person."""
        is_valid = bool(super().validate(extra_validators))
        if not self.people.chosen_values:
            self.people.errors = ("Select at least one person",)
            return False
        return is_valid


def _need_of(person: PersonToBook) -> str:
    if person.status is None:
        return "Has not attended"
    return f"{person.status.label}, due on {date_words(person.due_on)}"


class KeepPlacesForm(PortalForm):
    """How many places are kept for which unit, and until when."""

    unit = drop_down("For people in and under which unit?", required="Choose a unit")
    places = whole_number(
        "How many places?",
        width=3,
        message=f"Enter a number from 1 to {MOST_PLACES}",
        least=1,
        most=MOST_PLACES,
    )
    until_on = one_day(
        "Last day on which they are kept",
        "After it, they go to whoever waits longest. For example, 31 May 2027.",
        missing="Enter the last day on which they are kept",
    )
    keep = button("Keep places")

    def __init__(self, units: Mapping[int, str]) -> None:
        """Offer the units by their labels."""
        super().__init__()
        by_label = sorted(units.items(), key=lambda pair: pair[1])
        self.unit.choices = [
            SelectChoice(value=value, label=label)
            for value, label in [("", "Choose a unit"), *((str(key), label) for key, label in by_label)]
        ]


# The blueprint of all pages under /events; their views are in files beside it.

bp = Blueprint("events", __name__, template_folder="templates")
