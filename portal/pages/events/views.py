"""Pages of events for everybody: the dates to come, and one event."""

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.events.queries import EventFilters, event_details, list_events
from portal.pages.events import type_views
from portal.pages.events.blueprint import bp
from portal.pages.layout.access import requires
from portal.pages.layout.query_arguments import QueryArguments
from portal.platform import clock
from portal.platform.permissions import Permission

__all__ = ["bp", "type_views"]


@bp.get("/events")
@requires(Permission.ACCOUNT_OWN)
def show_events() -> ResponseReturnValue:
    """Show the events to come, the next first."""
    arguments = QueryArguments(request.args, request.path)
    rows = list_events(EventFilters(ends_after=clock.now()))
    page = arguments.page(len(rows))
    html = render_template(
        "events/list.html",
        page=page,
        errors=arguments.errors(),
        rows=rows[page.offset : page.offset + page.size],
        may_plan=Permission.EVENT_RUN in current_user.permissions,
    )
    return html, arguments.status


@bp.get("/events/<reference>")
@requires(Permission.ACCOUNT_OWN)
def show_event(reference: str) -> ResponseReturnValue:
    """Show one event: when, where, who runs it, and how many places are left."""
    return render_template("events/event.html", event=event_details(reference), now=clock.now())
