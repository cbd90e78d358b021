"""Limits a directive owner to the units of their role: the audience of a directive must lie within them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from portal.domain.directives.models import DirectiveVersion
from portal.domain.directives.proposals import Proposal, newest_version_of
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.queries import Viewer
from portal.domain.people.visibility.authorised_units import units_allowing
from portal.platform.db import db
from portal.platform.errors import ForbiddenError
from portal.platform.permissions import Permission

OUTSIDE_OWN_UNITS = (
    "This directive is for people outside your units. Ask a directive owner of the whole force to issue, "
    "change or withdraw it."
)


def exceeds_own_units(viewer: Viewer, proposal: Proposal) -> bool:
    """Whether the audience, now or as proposed, includes people outside the viewer's units."""
    audiences = [proposal.columns["audience"]]
    if proposal.newest is not None:
        audiences.append(proposal.newest.audience)
    return _audience_exceeds_units(viewer, audiences)


def refuse_outside_own_units(viewer: Viewer, proposal: Proposal) -> None:
    """Refuse a proposal whose audience is not within the viewer's units.

    Raises:
        ForbiddenError: It is not.
    """
    if exceeds_own_units(viewer, proposal):
        raise ForbiddenError(OUTSIDE_OWN_UNITS)


def refuse_directive_outside_own_units(viewer: Viewer, directive_id: int) -> None:
    """Refuse a change to a directive whose audience is not within the viewer's units.

    Raises:
        ForbiddenError: It is not.
    """
    newest = newest_version_of(directive_id)
    if newest is not None and _audience_exceeds_units(viewer, [newest.audience]):
        raise ForbiddenError(OUTSIDE_OWN_UNITS)


def directives_within_own_units(viewer: Viewer, directive_ids: Iterable[int]) -> set[int]:
    """Those of these directives whose audience is within the viewer's units. At most one statement."""
    ids = set(directive_ids)
    if units_allowing(viewer, Permission.DIRECTIVE_ISSUE) is None:
        return ids
    rows = db.session.execute(
        select(DirectiveVersion.directive_id, DirectiveVersion.audience)
        .where(DirectiveVersion.directive_id.in_(ids), is_known_fact(DirectiveVersion))
        .order_by(DirectiveVersion.number)
    )
    newest = {directive_id: audience for directive_id, audience in rows}
    return {
        directive_id
        for directive_id, audience in newest.items()
        if not _audience_exceeds_units(viewer, [audience])
    }


def _audience_exceeds_units(viewer: Viewer, audiences: list[dict[str, Any]]) -> bool:
    """Whether a group of the audience names no unit, or one outside the viewer's units."""
    own_units = units_allowing(viewer, Permission.DIRECTIVE_ISSUE)
    if own_units is None:
        return False
    groups = [group.get("unit_under") for audience in audiences for group in audience["audience"]]
    return any(not units or not own_units.issuperset(units) for units in groups)
