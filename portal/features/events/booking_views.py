"""Pages of a learner's own places at events, and of a manager's bookings for others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.people.queries import live_units
from portal.features.events import booking as events_booking
from portal.features.events.booking_queries import (
    EventAudience,
    PersonToBook,
    find_booking,
    find_clashes,
    list_booked_people,
    list_candidates,
    list_kept_places,
    list_next_places,
    read_choice,
    read_event,
)
from portal.features.events.feature import BOOK, RUN
from portal.features.events.forms import CancelPlaceForm, ChoosePeopleForm, KeepPlacesForm, bp
from portal.features.events.models import OPEN_BOOKINGS, Booking
from portal.features.events.queries import EventDetails, event_details
from portal.features.events.services import list_own_places
from portal.pages.layout.access import requires
from portal.pages.layout.forms import ConfirmForm
from portal.pages.layout.query_arguments import Page, QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

REFUSALS = (RuleError, ConflictError, NotFoundError)
STATE_WORDS = {
    "asked": "Waits for approval",
    "waiting": "On the wait list",
    "offered": "Offered a place",
    "booked": "Has a place",
    "declined": "Refused",
    "cancelled": "Cancelled",
    "lapsed": "Lapsed",
    "left": "Ended: no longer required",
}
_SAID = {
    "asked": "You have asked for a place. Your manager decides.",
    "waiting": "You are on the wait list. You are offered a place as soon as one is free for you.",
    "booked": "You have a place.",
}


@bp.get("/events/places")
@requires(Permission.LEARN)
def show_places() -> ResponseReturnValue:
    """Show the learner's own places, and those that they could book: near first, then the next."""
    arguments, now = QueryArguments(request.args, request.path), clock.now()
    key = arguments.text("type")
    choices = list_next_places(current_user.person_id, [key] if key else [], now)
    page = arguments.page(len(choices))
    html = render_template(
        "events/places.html",
        own=list_own_places(current_user.person_id, now),
        rows=choices[page.offset : page.offset + page.size],
        page=page,
        errors=arguments.errors(),
        key=key,
    )
    return html, arguments.status


@bp.route("/events/<reference>/booking", methods=["GET", "POST"])
@requires(Permission.LEARN)
def book_own_place(reference: str) -> ResponseReturnValue:
    """Show the learner's booking of an event, and book for them."""
    event = event_details(reference)
    form = ConfirmForm()
    if form.validate_on_submit():
        me = current_user.person_id
        return _act_on_own_booking(
            reference,
            lambda: events_booking.book_place(reference, me, way=events_booking.SELF, by=me, at=clock.now()),
        )
    return _render_own_booking(event, form, CancelPlaceForm())


@bp.post("/events/<reference>/booking/acceptance")
@requires(Permission.LEARN)
def accept_own_place(reference: str) -> ResponseReturnValue:
    """Take the place that is offered to the learner."""
    booking_id = _own_booking(reference).id
    return _act_on_own_booking(
        reference,
        lambda: events_booking.accept_place(booking_id, by=current_user.person_id, at=clock.now()),
    )


@bp.post("/events/<reference>/booking/cancellation")
@requires(Permission.LEARN)
def cancel_own_place(reference: str) -> ResponseReturnValue:
    """Give the learner's place back."""
    event, form = event_details(reference), CancelPlaceForm()
    if not form.validate_on_submit():
        return _render_own_booking(event, ConfirmForm(), form), 400
    booking_id, reason = _own_booking(reference).id, form.reason.data
    return _act_on_own_booking(
        reference,
        lambda: events_booking.cancel_booking(booking_id, reason, by=current_user.person_id, at=clock.now()),
    )


def _own_booking(reference: str) -> Booking:
    booking = read_choice(current_user.person_id, event_details(reference), clock.now()).booking
    if booking is None:
        raise NotFoundError(events_booking.NO_BOOKING)
    return booking


def _act_on_own_booking(reference: str, act: Callable[[], Booking]) -> ResponseReturnValue:
    """Do it, say what came of it, and show the booking."""
    try:
        with transaction():
            state = act().state
    except REFUSALS as error:
        if isinstance(error, NotFoundError) and str(error) != events_booking.NO_BOOKING:
            raise
        flash(str(error), "error")
    else:
        flash(_SAID.get(state, "Your booking is cancelled."), "success")
    return redirect(url_for(".book_own_place", reference=reference), 303)


def _render_own_booking(event: EventDetails, form: ConfirmForm, cancel_form: CancelPlaceForm) -> str:
    now, me = clock.now(), current_user.person_id
    choice = read_choice(me, event, now)
    booking, sitting = choice.booking, choice.places.sitting
    state = booking.state if booking and booking.sitting == 0 else ""
    audience = EventAudience([event.activity_id], [me])
    may_take = state == "waiting" and choice.can_take and now >= sitting.offers_end_at
    return render_template(
        "events/own_booking.html",
        event=event,
        choice=choice,
        state=state,
        words=STATE_WORDS,
        is_open=choice.places.is_open(now),
        has_open_booking=state in OPEN_BOOKINGS,
        may_accept=state == "offered" or may_take,
        refusal="" if audience.may_attend(me, event.activity_id, event.held_on) else events_booking.NOT_ASKED,
        clashes=find_clashes(event, [me], clock.today())[me],
        form=form,
        cancel_form=cancel_form,
    )


@dataclass(frozen=True, slots=True)
class _PeoplePage:
    """The people a page offers to book."""

    event: EventDetails
    page: Page
    people: Sequence[PersonToBook]
    form: ChoosePeopleForm
    arguments: QueryArguments


def _read_people_page(reference: str) -> _PeoplePage:
    event, arguments = event_details(reference), QueryArguments(request.args, request.path)
    candidates = list_candidates(current_user.viewer, event, clock.now())
    page = arguments.page(len(candidates))
    people = candidates[page.offset : page.offset + page.size]
    clashes = find_clashes(event, [person.person_id for person in people], clock.today())
    return _PeoplePage(event, page, people, ChoosePeopleForm(people, clashes), arguments)


@bp.route("/events/<reference>/people", methods=["GET", "POST"])
@requires(BOOK)
def book_people(reference: str) -> ResponseReturnValue:
    """Show which of their people a manager booked, and book more who still need to attend."""
    people_page = _read_people_page(reference)
    form = people_page.form
    if not form.is_submitted():
        return _render_people(people_page), people_page.arguments.status
    if not form.validate():
        return _render_people(people_page), 400
    staff_numbers = set(form.people.chosen_values)
    _book_all(reference, [person for person in people_page.people if person.staff_number in staff_numbers])
    return redirect(url_for(".book_people", reference=reference), 303)


def _book_all(reference: str, people: Sequence[PersonToBook]) -> None:
    """Book for all of these people in one transaction, or for none."""
    by, now = current_user.person_id, clock.now()
    try:
        with transaction():
            states = [
                events_booking.book_place(
                    reference, person.person_id, way=events_booking.MANAGER, by=by, at=now
                ).state
                for person in people
            ]
    except REFUSALS as error:
        flash(str(error), "error")
        return
    waiting_count = states.count("waiting")
    sentence = f"Booked for {plural(len(states) - waiting_count, 'person', 'people')}."
    flash(
        f"{sentence} {plural(waiting_count, 'person is', 'people are')} on the wait list."
        if waiting_count
        else sentence,
        "success",
    )


def _render_people(people_page: _PeoplePage) -> str:
    event = people_page.event
    booked = list_booked_people(current_user.viewer, event)
    clashes = find_clashes(event, [person.person_id for person in booked], clock.today())
    places = read_event(event.id, clock.now())
    return render_template(
        "events/people.html",
        event=event,
        places=places,
        is_open=places.is_open(clock.now()),
        booked=booked,
        clashes=clashes,
        words=STATE_WORDS,
        page=people_page.page,
        people=people_page.people,
        form=people_page.form,
        errors=people_page.arguments.errors(),
    )


@bp.route(
    "/events/<reference>/people/<staff_number>/<any(approval, refusal, cancellation):act>", methods=["POST"]
)
@requires(BOOK)
def decide_booking(reference: str, staff_number: str, act: str) -> ResponseReturnValue:
    """Approve or refuse what one of the manager's people asked for, or cancel their booking."""
    person = find_booking(current_user.viewer, event_details(reference), staff_number)
    if person is None:
        raise NotFoundError(events_booking.NO_BOOKING)
    by, now = current_user.person_id, clock.now()
    try:
        with transaction():
            if act == "cancellation":
                events_booking.cancel_booking(person.booking_id, events_booking.BY_MANAGER, by=by, at=now)
            elif act == "approval":
                events_booking.approve_booking(person.booking_id, by=by, at=now)
            else:
                events_booking.decline_booking(person.booking_id, by=by, at=now)
    except REFUSALS as error:
        flash(str(error), "error")
    else:
        outcome = {"approval": "approved", "refusal": "refused", "cancellation": "cancelled"}[act]
        flash(f"The booking of {person.name} is {outcome}.", "success")
    return redirect(url_for(".book_people", reference=reference), 303)


# The page on which facilitators keep places of an event for the people of units.


@bp.route("/events/<reference>/reservations", methods=["GET", "POST"])
@requires(RUN)
def keep_places(reference: str) -> ResponseReturnValue:
    """Show which places are kept for which units, and keep more."""
    event = event_details(reference)
    form = _make_form()
    if not form.is_submitted():
        return _render_page(event, form)
    if not form.validate():
        return _render_page(event, form), 400
    unit_id, until_on, places = int(form.unit.data), form.until_on.day, form.places.number or 0
    if until_on is None:
        return _render_page(event, form), 400
    try:
        with transaction():
            events_booking.keep_places(
                reference, unit_id, places, until_on, by=current_user.person_id, at=clock.now()
            )
    except RuleError as error:
        form.form_errors.append(str(error))
        return _render_page(event, form), 409
    flash(f"{plural(places, 'place is', 'places are')} kept for {_label_units()[unit_id]}.", "success")
    return redirect(url_for(".keep_places", reference=reference), 303)


@bp.post("/events/<reference>/reservations/end")
@requires(RUN)
def stop_keeping_places(reference: str) -> ResponseReturnValue:
    """Keep no places for a unit any more."""
    event = event_details(reference)
    text = request.form.get("unit", "")
    unit_id = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
    try:
        with transaction():
            events_booking.stop_keeping_places(
                event.reference, unit_id, by=current_user.person_id, at=clock.now()
            )
    except NotFoundError as error:
        flash(str(error), "error")
    else:
        flash("These places are no longer kept.", "success")
    return redirect(url_for(".keep_places", reference=reference), 303)


def _label_units() -> dict[int, str]:
    return {unit_id: unit.label for unit_id, unit in live_units(clock.today()).items()}


def _make_form() -> KeepPlacesForm:
    return KeepPlacesForm(_label_units())


def _render_page(event: EventDetails, form: KeepPlacesForm) -> str:
    now = clock.now()
    places = read_event(event.id, now)
    return render_template(
        "events/reservations.html",
        event=event,
        places=places,
        is_open=places.is_open(now),
        kept=list_kept_places(places, now),
        form=form,
    )
