"""Statuses by activity: where people are with modules, guides or event types, whichever directive asks."""

from datetime import date

from sqlalchemy import Subquery, and_, select

from portal.domain.catalogue.models import Activity
from portal.domain.directives.models import DirectiveVersion, Requirement
from portal.domain.people.models import Post
from portal.domain.status.filters import Whose, covers_day, is_known_on
from portal.domain.status.models import StatusPeriod


def statuses_by_activity(kind: str, day: date, whose: Whose | None = None) -> Subquery:
    """Each status of a day, as known now, under each directive that asks for an activity of a kind.

    A person has a row for every such directive.

    Args:
        kind: Of the activities: module, event or guide.
        day: The day.
        whose: The people by the posts of their statuses; None: everyone, to be narrowed by the caller.

    Returns:
        Columns ``activity_id``, ``person_id``, ``status``, ``due_on`` (an ordinal), ``unit_id``,
        ``rank_or_grade`` and ``designated_role``.
    """
    period = StatusPeriod
    asked = (  # a position of a directive keeps its activity in all versions
        select(DirectiveVersion.directive_id, Requirement.position, Requirement.activity_id)
        .join(DirectiveVersion, DirectiveVersion.id == Requirement.directive_version_id)
        .join(Activity, Activity.id == Requirement.activity_id)
        .where(Activity.kind == kind)
        .distinct()
        .subquery()
    )
    is_asked = and_(asked.c.directive_id == period.directive_id, asked.c.position == period.position)
    columns = (period.person_id, period.status, period.due_on, period.unit_id)
    conditions = [covers_day(period, day), is_known_on(period, None)]
    if whose is not None:
        conditions.append(whose.matches(period))
    return (
        select(asked.c.activity_id, *columns, Post.rank_or_grade, Post.designated_role)
        .join(asked, is_asked)
        .join(Post, Post.id == period.post_id)
        .where(*conditions)
        .subquery()
    )
