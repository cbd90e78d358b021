"""The position of a report on a page: read from the address, and shown again in its form."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import urlencode

from flask import redirect, render_template, request
from flask.typing import ResponseReturnValue
from wtforms import Form

from portal.domain.reports import sentences
from portal.domain.reports.parameters import FIELDS, Position, PositionError, read_position, write_days_as_iso
from portal.pages.layout.fields import text_as_typed
from portal.pages.layout.forms import PlainForm
from portal.platform import clock

P = ParamSpec("P")
PositionView = Callable[Concatenate[Position, P], ResponseReturnValue]


class PositionForm(PlainForm):
    """The day of a report, and what was known."""

    as_at = text_as_typed("Show the position on", "For example, 30 April 2026")
    as_known_on = text_as_typed("As known on (empty means now)")


def parse_position_now(as_at: str, as_known_on: str) -> Position:
    """The position that two texts name, by the clock and the newest stamp of this moment.

    Raises:
        PositionError: A text cannot be read, or names a time that is still to come.
    """
    return read_position(as_at, as_known_on, now=clock.now())


def requested_position() -> Position:
    """The position in the address.

    Raises:
        PositionError: It is refused: answer with ``refuse_position``.
    """
    return parse_position_now(request.args.get("as_at", ""), request.args.get("as_known_on", ""))


def at_position(parent: dict[str, str]) -> Callable[[PositionView[P]], Callable[P, ResponseReturnValue]]:
    """Give a page the position in its address, as its first argument.

    A position that is refused, by the page too, is answered with its form and the reason, one whose days
    are not written in ISO 8601 with the address where they are.

    Args:
        parent: The page above: its text and address.
    """

    def place(view: PositionView[P]) -> Callable[P, ResponseReturnValue]:
        @wraps(view)
        def placed(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
            try:
                position = requested_position()
                return redirect_to_iso_days() or view(position, *args, **kwargs)
            except PositionError as error:
                return refuse_position(error, parent)

        return placed

    return place


def redirect_to_iso_days(unit: str = "") -> ResponseReturnValue | None:
    """A redirect to the same address with its days in ISO 8601; None if that is the address already.

    Args:
        unit: The path that the unit of the address has now; empty: as it is in the address.
    """
    arguments = list(request.args.items(multi=True))
    iso_arguments = write_days_as_iso(arguments, clock.today())
    if unit:
        iso_arguments = [(name, unit if name == "unit" else text) for name, text in iso_arguments]
    return None if iso_arguments == arguments else redirect(f"{request.path}?{urlencode(iso_arguments)}", 303)


def position_form(position: Position) -> PositionForm:
    """The form filled with a position."""
    return PositionForm(
        data={"as_at": sentences.day_field(position), "as_known_on": sentences.known_on_field(position)}
    )


def refuse_position(error: PositionError, parent: dict[str, str]) -> ResponseReturnValue:
    """Answer an address whose position is refused: the form with the reason, and no figures.

    Args:
        error: Why.
        parent: The page above: its text and address.
    """
    form = PositionForm(data={name: request.args.get(name, "") for name in FIELDS})
    form[error.field].errors = [str(error)]
    return show_refused_form(form, "Show position", parent)


def show_refused_form(form: Form, button: str, parent: dict[str, str]) -> ResponseReturnValue:
    """A page with nothing but a form of dates, the reasons in it, and the way to today."""
    kept = [
        pair
        for pair in request.args.items(multi=True)
        if pair[0] not in form and pair[0] not in ("page", "open")
    ]
    html = render_template(
        "layouts/refused_position.html",
        form=form,
        button=button,
        kept=kept,
        parent=parent,
        today_url=f"{request.path}?{urlencode(kept)}" if kept else request.path,
    )
    return html, 400
