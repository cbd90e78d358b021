"""My command by rank or grade and by role, over every directive at once; read only where it is asked for."""

from typing import Any

from sqlalchemy import func, select

from portal.db import db
from portal.monitoring.figures import GroupLine, group_lines
from portal.monitoring.filters import Filters
from portal.monitoring.reach import Reach
from portal.people.models import Post
from portal.standing.algebra import Status
from portal.standing.models import StandingSpan
from portal.standing.scope import holds, is_known
from portal.standing.spans import WHOLE

span: Any = StandingSpan


def by_post(reach: Reach, filters: Filters) -> tuple[list[GroupLine], list[GroupLine]]:
    """The lines by rank or grade and by designated role, of those whom ``command`` counts.

    A person counts once in each, by the worst standing under any directive that reaches them in it.
    """
    whose, at = reach.whose(filters), reach.position
    worst = (
        select(Post.designated_role, Post.rank_or_grade, func.min(span.status).label("status"))
        .join(Post, Post.id == span.post_id)
        .where(span.position == WHOLE, holds(span, at.as_at), is_known(span, at.as_known_on))
        .where(whose.seen(span), *whose.asked(span))
        .group_by(span.person_id, span.unit_id, Post.designated_role, Post.rank_or_grade)
        .subquery()
    )
    columns = (worst.c.designated_role, worst.c.rank_or_grade, worst.c.status)
    found = db.session.execute(select(*columns, func.count()).group_by(*columns)).all()
    ranks = group_lines((rank, Status(status), people) for _, rank, status, people in found)
    roles = group_lines((role, Status(status), people) for role, _, status, people in found)
    return ranks, roles
