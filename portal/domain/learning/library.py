"""The published modules in the order in which directives require them."""

from datetime import date
from typing import Any

from sqlalchemy import and_, bindparam, func, or_, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.archiving import offered_modules
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.directives.models import DirectiveVersion, Requirement
from portal.domain.people.as_of import is_known_fact
from portal.platform.db import read

_DAY: Any = bindparam("day")
_LATER: Any = aliased(DirectiveVersion)
_IS_SUPERSEDED = (
    select(_LATER.id)
    .where(
        _LATER.directive_id == DirectiveVersion.directive_id,
        _LATER.effective_on <= _DAY,
        is_known_fact(_LATER),
        or_(
            _LATER.effective_on > DirectiveVersion.effective_on,
            and_(
                _LATER.effective_on == DirectiveVersion.effective_on, _LATER.number > DirectiveVersion.number
            ),
        ),
    )
    .exists()
)
_POSITIONS = (
    select(Requirement.activity_id, func.min(Requirement.position))
    .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
    .where(
        DirectiveVersion.effective_on <= _DAY,
        is_known_fact(DirectiveVersion),
        ~DirectiveVersion.withdrawn,
        ~_IS_SUPERSEDED,
    )
    .group_by(Requirement.activity_id)
)


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
    return {activity_id: position for activity_id, position in read(_POSITIONS, {"day": day})}
