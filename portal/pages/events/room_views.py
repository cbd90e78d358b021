"""Pages of the rooms in which events are held: their list, adding one, and changing it."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.events.rooms import RoomRefusedError, list_rooms, room_with_id, save_room
from portal.domain.people.queries import live_units
from portal.domain.people.units.search import find_current_unit
from portal.pages.events.blueprint import bp
from portal.pages.events.forms import RoomForm
from portal.pages.layout.access import requires
from portal.pages.layout.form_widgets import mark_wrong
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import NotFoundError, RuleError
from portal.platform.permissions import Permission


@bp.get("/events/rooms")
@requires(Permission.EVENT_RUN)
def show_rooms() -> ResponseReturnValue:
    """Show every room, by name; there are few."""
    return render_template("events/rooms.html", rooms=list_rooms(), units=live_units(clock.today()))


@bp.route("/events/rooms/new", methods=["GET", "POST"])
@requires(Permission.EVENT_RUN)
def add_room() -> ResponseReturnValue:
    """Add a room."""
    form = RoomForm()
    if form.validate_on_submit() and _save_room(form, None):
        flash("The room is added.", "success")
        return redirect(url_for(".show_rooms"), 303)
    return render_template("events/room.html", form=form, room=None), 400 if form.errors else 200


@bp.route("/events/rooms/<int:room_id>", methods=["GET", "POST"])
@requires(Permission.EVENT_RUN)
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
