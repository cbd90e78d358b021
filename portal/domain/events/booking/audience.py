"""Who must or may attend events of a type on a day: the people required by a directive, or else everyone."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import date

from sqlalchemy import and_, select

from portal.domain.directives.fact_loader import split_into_batches
from portal.domain.directives.models import Assignment, DirectiveVersion, Requirement
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post
from portal.platform.db import db

Span = tuple[date, date]


class EventAudience:
    """Who must or may attend events of some types on a day, as known now. Three statements."""

    def __init__(self, activity_ids: Collection[int], people: Collection[int]) -> None:
        self._versions = _read_versions(activity_ids)
        self._assignments = defaultdict[tuple[int, int], list[Span]](list)
        self._posts = defaultdict[int, list[Span]](list)
        for ids in split_into_batches(sorted(people)):
            self._read_assignments(activity_ids, ids)
            self._read_posts(ids)

    def may_attend(self, person_id: int, activity_id: int, day: date) -> bool:
        """Whether the person must or may attend an event of the type on the day.

        They need a post on that day. If directives require the type of some people, they must be one of them.
        """
        if not _cover_day(self._posts[person_id], day):
            return False
        return not self.is_required(activity_id, day) or _cover_day(
            self._assignments[person_id, activity_id], day
        )

    def is_required(self, activity_id: int, day: date) -> bool:
        """Whether a directive that is in force on the day requires the type."""
        return any(
            max(started)[2]
            for versions in self._versions[activity_id].values()
            if (started := [version for version in versions if version[0] <= day])
        )

    def _read_assignments(self, activity_ids: Collection[int], people: Collection[int]) -> None:
        rule = Assignment
        statement = (
            select(rule.person_id, Requirement.activity_id, rule.from_on, rule.to_on)
            .join(Requirement, Requirement.directive_version_id == rule.directive_version_id)
            .where(Requirement.activity_id.in_(activity_ids), is_known_fact(rule))
        )
        for person_id, activity_id, *span in db.session.execute(statement.where(rule.person_id.in_(people))):
            self._assignments[person_id, activity_id].append((span[0], span[1]))

    def _read_posts(self, people: Collection[int]) -> None:
        statement = select(Post.person_id, Post.valid_from, Post.valid_to).where(is_known_fact(Post))
        for person_id, *span in db.session.execute(statement.where(Post.person_id.in_(people))):
            self._posts[person_id].append((span[0], span[1]))


_Versions = dict[int, list[tuple[date, int, bool]]]


def _read_versions(activity_ids: Collection[int]) -> dict[int, _Versions]:
    """For each type, the versions of each directive: first day, number, and whether it requires the type."""
    version, of_version = DirectiveVersion, Requirement.directive_version_id == DirectiveVersion.id
    is_about_activities = Requirement.activity_id.in_(activity_ids)
    concerned = select(version.directive_id).join(Requirement, of_version).where(is_about_activities)
    statement = (
        select(
            version.directive_id,
            version.effective_on,
            version.number,
            version.withdrawn,
            Requirement.activity_id,
        )
        .outerjoin(Requirement, and_(of_version, is_about_activities))
        .where(version.directive_id.in_(concerned), is_known_fact(version))
    )
    versions_by_activity: dict[int, _Versions] = {activity_id: {} for activity_id in activity_ids}
    for directive_id, effective_on, number, withdrawn, required_id in db.session.execute(statement):
        for activity_id, versions in versions_by_activity.items():
            requires = required_id == activity_id and not withdrawn
            versions.setdefault(directive_id, []).append((effective_on, number, requires))
    return versions_by_activity


def _cover_day(spans: Iterable[Span], day: date) -> bool:
    return any(first <= day <= last for first, last in spans)
