"""The modules in the order in which the force asks for them."""

from datetime import date

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import ModuleVersion
from portal.domain.catalogue.queries import published_modules
from portal.domain.directives.models import DirectiveVersion, Requirement
from portal.domain.people.as_of import is_known_fact
from portal.platform.db import db


def modules_in_order(day: date) -> list[ModuleVersion]:
    """The newest version of each: by its place in the directives in force on ``day``, then by title.

    A module in several directives stands at its earliest place; one that none asks for comes last.
    """
    places = _earliest_positions(day)
    last = len(places) + max(places.values(), default=0)
    return sorted(published_modules(), key=lambda each: (places.get(each.activity_id, last), each.title))


def _earliest_positions(day: date) -> dict[int, int]:
    """The earliest position of each activity that a directive asks for on ``day``."""
    version, later = DirectiveVersion, aliased(DirectiveVersion)
    overtaken = select(later.id).where(
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
        .where(version.effective_on <= day, is_known_fact(version), ~version.withdrawn, ~overtaken.exists())
        .group_by(Requirement.activity_id)
    )
    return {activity_id: position for activity_id, position in rows}
