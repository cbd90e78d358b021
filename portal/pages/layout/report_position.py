"""The position of a report on a page: read from the address, and shown again in its form."""

from urllib.parse import urlencode

from flask import redirect, request
from flask.typing import ResponseReturnValue
from wtforms import Form, StringField

from portal.domain.reports import sentences
from portal.domain.reports.parameters import (
    FIELDS,
    Position,
    PositionError,
    parse_position,
    write_days_as_iso,
)
from portal.pages.layout.form_widgets import GovInput
from portal.platform import clock
from portal.platform.db import read_stamps


class PositionForm(Form):  # type: ignore[misc]
    """The day of a report, and what was known."""

    as_at = StringField(
        "Show the position on", description="For example, 30 April 2026", widget=GovInput(autocomplete="off")
    )
    as_known_on = StringField("As known on (empty means now)", widget=GovInput(autocomplete="off"))


def parse_position_now(as_at: str, as_known_on: str) -> Position:
    """The position that two texts name, by the clock and the newest stamp of this moment.

    Raises:
        PositionError: A text cannot be read, or names a time that is still to come.
    """
    newest, ahead = read_stamps()
    return parse_position(as_at, as_known_on, now=clock.now(), newest=newest, ahead=ahead)


def requested_position() -> tuple[Position, list[tuple[str, str]]]:
    """The position in the address; if it is refused, today's, with the reason and the link to its field."""
    try:
        return parse_position_now(request.args.get("as_at", ""), request.args.get("as_known_on", "")), []
    except PositionError as error:
        return parse_position_now("", ""), [(str(error), f"#{error.field}")]


def redirect_to_iso_days() -> ResponseReturnValue | None:
    """A redirect to the same address with its days in ISO 8601; None if they are in ISO 8601 already."""
    arguments = list(request.args.items(multi=True))
    iso_arguments = write_days_as_iso(arguments)
    return None if iso_arguments == arguments else redirect(f"{request.path}?{urlencode(iso_arguments)}", 303)


def position_form(position: Position, errors: list[tuple[str, str]]) -> PositionForm:
    """The form filled with a position; if the address was refused, with what it said and the reasons."""
    shown = {"as_at": sentences.day_field(position), "as_known_on": sentences.known_on_field(position)}
    form = PositionForm(data={name: (request.args if errors else shown).get(name, "") for name in FIELDS})
    for text, target in errors:
        if (name := target.removeprefix("#")) in form:
            form[name].errors = [text]
    return form
