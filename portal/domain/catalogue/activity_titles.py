"""The title of an activity of any kind, as an expression of a statement: it is that of the newest version."""

from typing import Any

from sqlalchemy import ColumnElement, case, func, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, EventTypeVersion, GuideVersion, ModuleVersion

VERSIONS: dict[str, Any] = {"module": ModuleVersion, "guide": GuideVersion, "event": EventTypeVersion}


def newest_title(activity: Any = Activity) -> ColumnElement[str]:
    """The title of an activity's newest version; the key of one that is not published yet.

    Args:
        activity: ``Activity``, or an alias of it, in the statement around.
    """
    return func.coalesce(published_title(activity, *VERSIONS), activity.key)


def published_title(activity: Any, *kinds: str) -> ColumnElement[str | None]:
    """The title of the newest version of an activity of one of these kinds; NULL of others.

    Only the versions of its own kind are looked up.
    """
    titles = [(activity.kind == kind, _title_of(VERSIONS[kind], activity)) for kind in kinds]
    return case(*titles)


def _title_of(versions: Any, activity: Any) -> Any:
    newest = aliased(versions)
    title = select(newest.title).where(newest.activity_id == activity.id)
    return title.order_by(newest.number.desc()).limit(1).correlate(activity).scalar_subquery()
