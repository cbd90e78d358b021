"""Pages of events for everybody: future dates, one event, and its entry for a calendar."""

from datetime import timedelta
from io import BytesIO
from uuid import UUID

from flask import current_app, flash, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from portal.domain.catalogue.models import EventTypeVersion
from portal.domain.catalogue.publishing import list_preparation
from portal.domain.people.names import find_current_unit
from portal.domain.people.queries import live_units
from portal.domain.reminders.sending import relay_is_set
from portal.features.events import booking_views, register_views, services, type_views
from portal.features.events.booking_queries import count_places_left
from portal.features.events.feature import BOOK, RUN, VIEW
from portal.features.events.figures import find_next_syndicates, read_attendance, read_force_attendance
from portal.features.events.forms import (
    CancelEventForm,
    ChangeEventForm,
    EventFilterForm,
    NewEventForm,
    PlanChoices,
    RoomForm,
    bp,
    form_values_of,
)
from portal.features.events.queries import (
    EventDetails,
    EventFilters,
    Nearness,
    RoomRefusedError,
    event_details,
    list_events,
    list_rooms,
    list_versions,
    room_with_id,
    save_room,
    unit_of_person,
    write_event_file,
)
from portal.features.events.services import (
    PlanRefusedError,
    event_type_with_id,
    find_own_place,
    list_coming_events,
    list_event_types,
    list_possible_facilitators,
    read_outcomes,
)
from portal.pages.layout.access import list_parts, requires
from portal.pages.layout.forms import mark_wrong
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import plural

# Pages on which a facilitator plans, copies, changes, moves and cancels events.

_WITHOUT_MAIL = "Email is not set up, so nobody gets an email yet."


@bp.route("/events/new", methods=["GET", "POST"])
@requires(RUN)
def plan_event() -> ResponseReturnValue:
    """Plan an event or a series, from nothing or as a copy of another."""
    choices = _read_plan_choices()
    form = NewEventForm(data=_first_values(choices.types))
    form.offer_types(choices.types)
    form.offer_choices(choices)
    if form.validate_on_submit() and (references := _plan_all(form, choices.types[form.kind.data])):
        flash(
            _planned_words(len(references), has_facilitators=bool(form.facilitators.chosen_values)), "success"
        )
        return redirect(url_for(".show_event", reference=references[0]), 303)
    html = render_template("events/new.html", form=form, offered=choices)
    return html, 400 if form.errors or form.asks_which else 200


def _first_values(types: dict[str, EventTypeVersion]) -> dict[str, object]:
    """What the fields hold at first: a copy of the event that the address names, or what its type says."""
    if copied := request.args.get("copy", ""):
        event = event_details(copied)
        values = form_values_of(services.plan_of(event)) | {"kind": event.key}
        return {name: value for name, value in values.items() if name not in {"day", "which"}}
    key = request.args.get("type", "") or (next(iter(types)) if len(types) == 1 else "")
    event_type = types.get(key)
    if event_type is None:
        return {}
    syndicates = -(-event_type.places_most // event_type.syndicate_most)
    return {"kind": key, "places": str(event_type.places_most), "syndicates": str(syndicates)}


def _plan_all(form: NewEventForm, event_type: EventTypeVersion) -> list[str]:
    """Plan every date of a valid form; if one is refused, plan none and say so in the form."""
    starts = form.read_starts(form.count.number or 1, form.weeks.number or 1)
    if not starts:
        return []
    plans = [form.make_plan(starts_at, event_type) for starts_at in starts]
    try:
        with transaction():
            return services.plan_events(plans, by=current_user.person_id, at=clock.now())
    except PlanRefusedError as error:
        form.show_refusal(error.field, str(error))
    return []


@bp.route("/events/<reference>/change", methods=["GET", "POST"])
@requires(RUN)
def change_event(reference: str) -> ResponseReturnValue:
    """Give an event another time, room or size, or other people who run it."""
    event = event_details(reference)
    if event.cancelled or event.starts_at <= clock.now():
        raise RuleError("This event is over or cancelled, so it cannot be changed.")
    choices = _read_plan_choices()
    form = ChangeEventForm(data=form_values_of(services.plan_of(event)) | {"number": str(event.number)})
    form.offer_choices(choices, kept_room=event.room_id)
    if form.validate_on_submit() and (notified_count := _change_event(form, event)) is not None:
        flash(f"The change is saved. {_email_words(notified_count)}", "success")
        return redirect(url_for(".show_event", reference=reference), 303)
    shows_which = form.asks_which or bool(form.which.data)
    html = render_template("events/change.html", form=form, event=event, shows_which=shows_which)
    return html, 400 if form.errors or form.asks_which else 200


def _change_event(form: ChangeEventForm, event: EventDetails) -> int | None:
    """Change the event as a valid form says; None: it is refused, and the form has the error."""
    starts = form.read_starts()
    if not starts:
        return None
    plan = form.make_plan(starts[0], event_type_with_id(event.type_version_id))
    reason, by = form.reason.data or "", current_user.person_id
    if services.is_moved(event, plan) and not reason:
        mark_wrong(form.reason, "Enter why it is moved")
        return None
    try:
        with transaction():
            return services.change_event(
                event.reference,
                plan,
                number=_number_of(form.number.data),
                reason=reason,
                by=by,
                at=clock.now(),
            )
    except PlanRefusedError as error:
        form.show_refusal(error.field, str(error))
    return None


@bp.route("/events/<reference>/cancel", methods=["GET", "POST"])
@requires(RUN)
def cancel_event(reference: str) -> ResponseReturnValue:
    """Cancel an event, with the reason that its people are told."""
    event = event_details(reference)
    if event.cancelled or event.starts_at <= clock.now():
        raise RuleError("This event is over or cancelled, so it cannot be cancelled.")
    form = CancelEventForm(data={"number": str(event.number)})
    if form.validate_on_submit():
        with transaction():
            notified_count = services.cancel_event(
                reference,
                number=_number_of(form.number.data),
                reason=form.reason.data,
                by=current_user.person_id,
                at=clock.now(),
            )
        flash(f"The event is cancelled. {_email_words(notified_count)}", "success")
        return redirect(url_for(".show_event", reference=reference), 303)
    return render_template("events/cancel.html", form=form, event=event), 400 if form.errors else 200


def _read_plan_choices() -> PlanChoices:
    return PlanChoices(list_event_types(), list_rooms(), list_possible_facilitators(clock.today()))


def _number_of(text: str | None) -> int:
    """The number of the version that a form was opened with."""
    if not (text or "").isascii() or not (text or "").isdigit() or len(text or "") > 6:
        raise NotFoundError("The form is not complete. Open it again.")
    return int(text or "0")


def _planned_words(count: int, *, has_facilitators: bool) -> str:
    """How many events are planned, and who gets an email if somebody runs them."""
    planned = f"{plural(count, 'event is', 'events are')} planned."
    if not has_facilitators:
        return planned
    notified = f"Who runs {'it' if count == 1 else 'them'} gets an email."
    return f"{planned} {notified if relay_is_set() else _WITHOUT_MAIL}"


def _email_words(notified_count: int) -> str:
    """How many people get an email, as a sentence."""
    if not notified_count:
        return "Nobody gets an email."
    notified = f"{plural(notified_count, 'person gets', 'people get')} an email."
    return notified if relay_is_set() else _WITHOUT_MAIL


# Pages of the rooms in which events are held: their list, adding one, and changing it.


@bp.get("/events/rooms")
@requires(RUN)
def show_rooms() -> ResponseReturnValue:
    """Show every room, by name; there are few."""
    return render_template("events/rooms.html", rooms=list_rooms(), units=live_units(clock.today()))


@bp.route("/events/rooms/new", methods=["GET", "POST"])
@requires(RUN)
def add_room() -> ResponseReturnValue:
    """Add a room."""
    form = RoomForm()
    if form.validate_on_submit() and _save_room(form, None):
        flash("The room is added.", "success")
        return redirect(url_for(".show_rooms"), 303)
    return render_template("events/room.html", form=form, room=None), 400 if form.errors else 200


@bp.route("/events/rooms/<int:room_id>", methods=["GET", "POST"])
@requires(RUN)
def change_room(room_id: int) -> ResponseReturnValue:
    """Change a room, or close it to new events."""
    room = room_with_id(room_id)
    unit = live_units(clock.today()).get(room.unit_id) if room.unit_id is not None else None
    form = RoomForm(
        data={
            "name": room.name,
            "capacity": str(room.capacity),
            "unit": unit.path if unit else "",
            "directions": room.directions,
            "closed": room.closed,
        }
    )
    if form.validate_on_submit() and _save_room(form, room_id):
        flash("The room is saved.", "success")
        return redirect(url_for(".show_rooms"), 303)
    return render_template("events/room.html", form=form, room=room), 400 if form.errors else 200


def _save_room(form: RoomForm, room_id: int | None) -> bool:
    """Save a valid form; whether that was done, and else the form says why not."""
    unit_id = None
    if form.unit.data:
        try:
            unit_id = find_current_unit(form.unit.data, live_units(clock.today()))
        except (NotFoundError, RuleError) as error:
            mark_wrong(form.unit, str(error))
            return False
    try:
        with transaction():
            save_room(room_id, form.make_details(unit_id), by=current_user.person_id, at=clock.now())
    except RoomRefusedError as error:
        mark_wrong(form[error.field], str(error))
        return False
    return True


# The figures of events: who attended, places left, who is needed next, and who booked and did not come.

OUTCOME_DAYS = 365  # how far back outcomes are counted


@bp.get("/events/figures")
@requires(VIEW)
def show_figures() -> ResponseReturnValue:
    """The figures of the people the viewer may see, or numbers of the force for who runs events.

    Everybody may see the places.
    """
    viewer, today = current_user.viewer, clock.today()
    names = Permission.PERSON_VIEW in viewer.permissions
    counts_force = not names and RUN in viewer.permissions
    attendances = read_force_attendance(today) if counts_force else read_attendance(viewer, today)
    coming = list_coming_events(clock.now())
    since = today - timedelta(days=OUTCOME_DAYS)
    return render_template(
        "events/figures.html",
        attendances=attendances,
        coming=coming,
        syndicates=find_next_syndicates(attendances, coming, today, named=not counts_force),
        counts_force=counts_force,
        outcomes=read_outcomes(viewer, since, today),
        since=since,
        may_book=BOOK in viewer.permissions,
        opens_people=names,
        notes=list_parts("events.figures"),
    )


__all__ = ["booking_views", "bp", "register_views", "type_views"]


@bp.get("/events")
@requires(Permission.ACCOUNT_OWN)
def show_events() -> ResponseReturnValue:
    """Show future events, or past ones, by date or the nearest first."""
    arguments = QueryArguments(request.args, request.path)
    types = list_event_types()
    chosen = {
        "type": arguments.choice("type", types, "event type"),
        "order": arguments.choice("order", ["near"]),
        "free": arguments.choice("free", ["yes"]),
        "when": arguments.choice("when", ["past"]),
    }
    form = EventFilterForm(data=chosen)
    form.offer_types(types)
    near = Nearness(unit_of_person(current_user.person_id, clock.today()), clock.today())
    rows = _list_rows(chosen, near)
    page = arguments.page(len(rows))
    rows = rows[page.offset : page.offset + page.size]
    html = render_template(
        "events/list.html",
        page=page,
        errors=arguments.errors(form._fields),
        rows=rows,
        places_left=count_places_left([event.id for event in rows], clock.now()),
        form=form,
        chosen=chosen,
        near=near,
        may_run=RUN in current_user.permissions,
        types=types,
    )
    return html, arguments.status


def _list_rows(chosen: dict[str, str], near: Nearness) -> list[EventDetails]:
    now, keys = clock.now(), (chosen["type"],) if chosen["type"] else ()
    if chosen["when"]:
        rows = list_events(EventFilters(keys=keys, begins_before=now))
        rows = [event for event in reversed(rows) if event.ends_at <= now]
    else:
        rows = list_events(EventFilters(keys=keys, ends_after=now))
    if chosen["free"]:
        left = count_places_left([event.id for event in rows], now)
        rows = [event for event in rows if left[event.id]]
    return near.sort_near_first(rows) if chosen["order"] else rows


@bp.get("/events/<reference>")
@requires(Permission.ACCOUNT_OWN)
def show_event(reference: str) -> ResponseReturnValue:
    """Show one event: when, where, who runs it, how to prepare, and how many places are left."""
    event, now = event_details(reference), clock.now()
    own_place = find_own_place(current_user.person_id, event, now)
    kind = event_type_with_id(event.type_version_id)
    return render_template(
        "events/event.html",
        event=event,
        places_left=count_places_left([event.id], now)[event.id],
        kind=kind,
        preparation=list_preparation(kind.preparation),
        siblings=_list_siblings(event.series, event.id),
        versions=list_versions(event.id),
        now=now,
        own_place=own_place,
        additions=[show(event.id, own_place) for show in list_parts("events.event")],
        links=[link_to() for link_to in list_parts("events.places")],
        may_run=RUN in current_user.permissions,
        may_view=VIEW in current_user.permissions,
        permissions=current_user.permissions,
    )


def _list_siblings(series: UUID | None, event_id: int) -> list[EventDetails]:
    """The other events of a series."""
    if series is None:
        return []
    return [event for event in list_events(EventFilters(series=series)) if event.id != event_id]


@bp.get("/events/<reference>/calendar.ics")
@requires(Permission.ACCOUNT_OWN)
def download_event(reference: str) -> ResponseReturnValue:
    """Download an event for one's own calendar; a later file replaces the entry."""
    config: Config = current_app.config["PORTAL"]
    event = event_details(reference)
    content = write_event_file(event, force=config.force_name, address=config.address, at=clock.now())
    return send_file(
        BytesIO(content), "text/calendar", as_attachment=True, download_name=f"{event.reference}.ics"
    )
