"""The published modules in the order in which directives require them."""

from datetime import date

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.archiving import offered_modules
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.directives.models import DirectiveVersion, Requirement
from portal.domain.people.as_of import is_known_fact
from portal.platform.db import db


def modules_in_order(day: date) -> list[ModuleVersion]:
    """Return the newest version of each module offered, in the order of the directives in force on ``day``.

    A module in several directives takes its earliest position; modules that none requires come last. Those
    at the same position are ordered by title.
    """
    positions = _earliest_positions(day)
    last = len(positions) + max(positions.values(), default=0)
    return sorted(
        offered_modules(),
        key=lambda version: (positions.get(version.activity_id, last), version.title),
    )


def _earliest_positions(day: date) -> dict[int, int]:
    """Return the earliest position of each activity that a directive requires on ``day``."""
    version, later = DirectiveVersion, aliased(DirectiveVersion)
    superseded = select(later.id).where(
        later.directive_id == version.directive_id,
        later.effective_on <= day,
        is_known_fact(later),
        or_(
            later.effective_on > version.effective_on,
            and_(later.effective_on == version.effective_on, later.number > version.number),
        ),
    )
    rows = db.session.execute(
        select(Requirement.activity_id, func.min(Requirement.position))
        .join(version, version.id == Requirement.directive_version_id)
        .where(version.effective_on <= day, is_known_fact(version), ~version.withdrawn, ~superseded.exists())
        .group_by(Requirement.activity_id)
    )
    return {activity_id: position for activity_id, position in rows}
