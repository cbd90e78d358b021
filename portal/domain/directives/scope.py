"""How far a directive owner's grants reach: whoever owns the directives of a unit issues none beyond it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from portal.domain.directives.models import DirectiveVersion
from portal.domain.directives.proposals import Proposal, newest_of
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.queries import Viewer
from portal.domain.people.visibility.authorised_units import units_allowing
from portal.platform.db import db
from portal.platform.errors import ForbiddenError
from portal.platform.permissions import Permission

BEYOND = (
    "Your role is for a unit, and this directive is, or would be, for people beyond it. A directive owner of "
    "the whole force can issue, change and withdraw it."
)


def reaches_beyond(viewer: Viewer, proposal: Proposal) -> bool:
    """Whether the directive, as it stands or as proposed, is for more than the viewer's units."""
    audiences = [proposal.columns["audience"]]
    if proposal.newest is not None:
        audiences.append(proposal.newest.audience)
    return _beyond(viewer, audiences)


def refuse_beyond(viewer: Viewer, proposal: Proposal) -> None:
    """Refuse to issue it.

    Raises:
        ForbiddenError: It reaches beyond the viewer's units.
    """
    if reaches_beyond(viewer, proposal):
        raise ForbiddenError(BEYOND)


def refuse_directive_beyond(viewer: Viewer, directive_id: int) -> None:
    """Refuse to set anything for a whole directive that is for more than the viewer's units.

    Raises:
        ForbiddenError: It is.
    """
    newest = newest_of(directive_id)
    if newest is not None and _beyond(viewer, [newest.audience]):
        raise ForbiddenError(BEYOND)


def within_reach(viewer: Viewer, directive_ids: Iterable[int]) -> set[int]:
    """Those of these directives that are for the viewer's units alone; at most one statement of their own."""
    asked = set(directive_ids)
    if units_allowing(viewer, Permission.DIRECTIVE_ISSUE) is None:
        return asked
    rows = db.session.execute(
        select(DirectiveVersion.directive_id, DirectiveVersion.audience)
        .where(DirectiveVersion.directive_id.in_(asked), is_known_fact(DirectiveVersion))
        .order_by(DirectiveVersion.number)
    )
    newest = {directive_id: audience for directive_id, audience in rows}
    return {directive_id for directive_id, audience in newest.items() if not _beyond(viewer, [audience])}


def _beyond(viewer: Viewer, audiences: list[dict[str, Any]]) -> bool:
    """That a group of them names no unit, or one in which the viewer owns no directives."""
    within = units_allowing(viewer, Permission.DIRECTIVE_ISSUE)
    if within is None:
        return False
    groups = [group.get("unit_under") for audience in audiences for group in audience["audience"]]
    return any(not units or not within.issuperset(units) for units in groups)
