"""The page of one recommendation: its state, and what the force does, decided and shows."""

from flask import render_template
from flask.typing import ResponseReturnValue

from portal.domain.assurance.desk import read_recommendation
from portal.domain.assurance.publishing import read_version_file
from portal.domain.assurance.wording import list_people_of, name_people
from portal.domain.reports.parameters import PositionError
from portal.pages.assurance.blueprint import bp
from portal.pages.assurance.desk_words import PARENT, frame_of
from portal.pages.layout.access import requires
from portal.pages.layout.report_position import redirect_to_iso_days, refuse_position, requested_position
from portal.platform.permissions import Permission


@bp.get("/assurance/<key>")
@requires(Permission.ASSURANCE_VIEW)
def show_recommendation(key: str) -> ResponseReturnValue:
    """Show a recommendation as at a date, as known on an instant, with all that hangs on it."""
    try:
        position = requested_position()
    except PositionError as error:
        return refuse_position(error, PARENT)
    if current_address := redirect_to_iso_days():
        return current_address
    held = read_recommendation(key, position)
    return render_template(
        "assurance/recommendation.html",
        held=held,
        file=read_version_file(key, held.version),
        names=name_people(list_people_of(held)),
        **frame_of(position),
    )
