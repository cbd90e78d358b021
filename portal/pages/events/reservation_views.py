"""The page on which facilitators keep places of an event for the people of units."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.events.booking import services
from portal.domain.events.booking.candidates import list_kept_places
from portal.domain.events.booking.reading import read_event
from portal.domain.events.queries import EventDetails, event_details
from portal.domain.people.queries import live_units
from portal.pages.events.blueprint import bp
from portal.pages.events.booking_forms import KeepPlacesForm
from portal.pages.layout.access import requires
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission
from portal.platform.wording import plural


@bp.route("/events/<reference>/reservations", methods=["GET", "POST"])
@requires(Permission.EVENT_RUN)
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
            services.keep_places(
                reference, unit_id, places, until_on, by=current_user.person_id, at=clock.now()
            )
    except RuleError as error:
        form.form_errors.append(str(error))
        return _render_page(event, form), 409
    flash(f"{plural(places, 'place is', 'places are')} kept for {_label_units()[unit_id]}.", "success")
    return redirect(url_for(".keep_places", reference=reference), 303)


@bp.post("/events/<reference>/reservations/end")
@requires(Permission.EVENT_RUN)
def stop_keeping_places(reference: str) -> ResponseReturnValue:
    """Keep no places for a unit any more."""
    event = event_details(reference)
    text = request.form.get("unit", "")
    unit_id = int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
    try:
        with transaction():
            services.stop_keeping_places(event.reference, unit_id, by=current_user.person_id, at=clock.now())
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
