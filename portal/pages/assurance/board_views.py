"""The first page of the assurance desk: every recommendation with its state, owner and deadline."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.domain.assurance.desk import read_desk
from portal.domain.assurance.wording import name_people
from portal.domain.reports.parameters import PositionError
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import PARENT, frame_of
from portal.pages.layout.access import requires
from portal.pages.layout.report_position import redirect_to_iso_days, refuse_position, requested_position
from portal.platform.permissions import Permission


@bp.get("/assurance")
@requires(Permission.ASSURANCE_VIEW)
def show_board() -> ResponseReturnValue:
    """Show every recommendation as at a date, as known on an instant."""
    try:
        position = requested_position()
    except PositionError as error:
        return refuse_position(error, PARENT)
    if current_address := redirect_to_iso_days():
        return current_address
    held = read_desk(position)
    names = name_people(each.owner_id for each in held)
    return render_template(
        "assurance/board.html",
        held=held,
        names=names,
        **frame_of(position),
    )
