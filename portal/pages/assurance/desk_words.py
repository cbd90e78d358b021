"""What every page of the desk shows beside its subject: the position, its banner, and the names of people."""

from typing import Any

from flask_login import current_user

from portal.domain.assurance import wording
from portal.domain.reports import sentences
from portal.domain.reports.parameters import Position
from portal.pages.layout.report_position import position_form
from portal.platform.permissions import Permission

PARENT = {"text": "Assurance", "href": "/assurance"}


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
