"""What every page of the desk shows beside its subject: the position, its banner, and the names of people."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask_login import current_user

from portal.domain.assurance import wording
from portal.domain.reports import sentences
from portal.domain.reports.parameters import Position, PositionError, read_position, read_position_today
from portal.pages.layout.report_position import position_form
from portal.platform import clock
from portal.platform import wording as say
from portal.platform.errors import NotFoundError
from portal.platform.permissions import Permission

T = TypeVar("T")
PARENT = {"text": "Assurance", "href": "/assurance"}


def read_at(read: Callable[[Position], T], position: Position, name: str) -> T:
    """Read what a page shows at its position.

    Args:
        read: Reads it; a NotFoundError says that it is not there.
        position: That of the page.
        name: What it is, as the beginning of a sentence.

    Raises:
        PositionError: It is there today, and was not at the position.
        NotFoundError: It is not there today either.
    """
    try:
        return read(position)
    except NotFoundError:
        if not position.past:
            raise
    now = clock.now()
    read(read_position_today(now))
    try:
        read(read_position(position.as_at.isoformat(), "", now=now))
    except NotFoundError as error:
        reason = f"{name} was not there yet on {say.date(position.as_at)}. Enter a later date."
        raise PositionError("as_at", reason) from error
    time = sentences.known_on_words(position).removeprefix("as known ")
    raise PositionError("as_known_on", f"{name} was not in the portal yet {time}. Enter a later date.")


def template_values_of(position: Position) -> dict[str, Any]:
    """Template values of a page at a position.

    Changes are offered at today as known now alone: what was known on an earlier instant cannot change.
    """
    permissions = current_user.permissions
    return {
        "position": position,
        "position_form": position_form(position),
        "banner": sentences.banner_sentence(position),
        "known_on": sentences.known_on_words(position),
        "words": wording,
        "may_manage": Permission.ASSURANCE_MANAGE in permissions and not position.past,
        "may_confirm": Permission.ASSURANCE_CONFIRM in permissions and not position.past,
    }
