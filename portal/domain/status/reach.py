"""How many people each directive reaches on a day, of those whom a viewer may see."""

from datetime import date
from typing import NamedTuple

from sqlalchemy import func, select

from portal.domain.people.queries import Viewer, visibility_of
from portal.domain.status.filters import Whose, holds, is_known
from portal.domain.status.models import StatusPeriod
from portal.domain.status.periods import WHOLE
from portal.domain.status.rules import Status
from portal.platform.db import db


class DirectiveReach(NamedTuple):
    """The people whom a directive reaches on a day."""

    people: int
    done: int  # of those counted
    counted: int  # all but those exempt or deferred


NOBODY = DirectiveReach(0, 0, 0)


def count_reach(viewer: Viewer, day: date) -> dict[int, DirectiveReach]:
    """How many people each directive reaches on ``day``, as known now, of those whom the viewer may see."""
    seen, period = visibility_of(viewer), StatusPeriod
    whose = Whose(seen.everyone, seen.unit_ids, seen.direct_reports_of)
    statement = select(period.directive_id, period.status, func.count()).where(
        period.position == WHOLE, holds(period, day), is_known(period, None), whose.seen(period)
    )
    reach: dict[int, DirectiveReach] = {}
    for key, status, n in db.session.execute(statement.group_by(period.directive_id, period.status)):
        kind, (people, done, counted) = Status(status), reach.get(key, NOBODY)
        reach[key] = DirectiveReach(people + n, done + n * kind.held, counted + n * (not kind.excluded))
    return reach
