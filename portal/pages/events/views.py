"""Pages of events for everybody: future dates, one event, and its entry for a calendar."""

from io import BytesIO
from uuid import UUID

from flask import current_app, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user

from config import Config
from portal.domain.catalogue.event_types import list_preparation
from portal.domain.events.booking.reading import count_places_left
from portal.domain.events.calendar_file import write_event_file
from portal.domain.events.own_places import find_own_place
from portal.domain.events.planning import event_type_with_id, list_event_types
from portal.domain.events.queries import EventDetails, EventFilters, event_details, list_events, list_versions
from portal.domain.events.rooms import Nearness, unit_of_person
from portal.domain.exercises.running.opening import list_event_runs
from portal.pages.events import (
    booking_views,
    planning_views,
    register_views,
    report_views,
    reservation_views,
    room_code_views,
    room_views,
    sign_off_views,
    syndicate_views,
    type_views,
)
from portal.pages.events.blueprint import bp
from portal.pages.events.forms import EventFilterForm
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.permissions import Permission

__all__ = [
    "booking_views",
    "bp",
    "planning_views",
    "register_views",
    "report_views",
    "reservation_views",
    "room_code_views",
    "room_views",
    "sign_off_views",
    "syndicate_views",
    "type_views",
]


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
        may_run=Permission.EVENT_RUN in current_user.permissions,
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
        own_place=find_own_place(current_user.person_id, event, now),
        runs=list_event_runs(event.id),
        may_control=Permission.EXERCISE_RUN in current_user.permissions,
        may_run=Permission.EVENT_RUN in current_user.permissions,
        may_view=Permission.EVENT_VIEW in current_user.permissions,
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
