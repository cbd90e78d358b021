"""Lists grants that no longer fit their person's post, each with the reasons in words."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from portal.domain.accounts.grants import authority
from portal.domain.accounts.grants.grant_list import role_words, where_words
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.queries import Viewer
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.people.workforce import Workforce
from portal.platform.db import OPEN_END, db
from portal.platform.permissions import UNIT_ROLES, Role
from portal.platform.wording import date as day_words
from portal.platform.wording import plural

UnitPeriod = tuple[int, date, date]  # a unit, and the first and last day of a post in it


@dataclass(frozen=True, slots=True)
class GrantToReview:
    """A grant that may no longer be needed."""

    grant_id: int
    person_id: int
    staff_number: str
    name: str
    role: str
    where: str
    unit_path: str  # empty where the grant names no unit
    since: date
    reasons: tuple[str, ...]


def list_grants_to_review(viewer: Viewer, force: Workforce) -> list[GrantToReview]:
    """The grants of today that the viewer may end and that no longer fit a post, by name.

    Five statements at most, however many grants there are.
    """
    rows = _list_live_grants(viewer, force)
    reviewer = _GrantReviewer(force, read_tree(), _read_post_periods(), rows)
    grants_to_review = []
    for grant, staff_number, surname, forenames in rows:
        if reasons := tuple(reviewer.list_reasons(grant)):
            role = Role(grant.role)
            grants_to_review.append(
                GrantToReview(
                    grant_id=grant.id,
                    person_id=grant.person_id,
                    staff_number=staff_number,
                    name=f"{surname}, {forenames}",
                    role=role_words(role),
                    where=where_words(role, reviewer.label_of_unit(grant.unit_id)),
                    unit_path=reviewer.path_of_unit(grant.unit_id),
                    since=grant.valid_from,
                    reasons=reasons,
                )
            )
    return grants_to_review


def _list_live_grants(viewer: Viewer, force: Workforce) -> list[Any]:
    """The grants of the day, of people whose accounts the viewer may change, by name."""
    return list(
        db.session.execute(
            select(RoleGrant, PersonName.staff_number, PersonName.surname, PersonName.forenames)
            .join(PersonName, PersonName.person_id == RoleGrant.person_id)
            .where(
                is_valid_on(RoleGrant, force.day),
                RoleGrant.ended_at.is_(None),
                RoleGrant.person_id.in_(authority.people_administered(viewer)),
            )
            .order_by(
                PersonName.surname,
                PersonName.forenames,
                PersonName.staff_number,
                RoleGrant.role,
                RoleGrant.id,
            )
        ).all()
    )


def _read_post_periods() -> dict[int, list[UnitPeriod]]:
    """Every known post of people who have or had a role, by person, the first post first."""
    rows = db.session.execute(
        select(Post.person_id, Post.unit_id, Post.valid_from, Post.valid_to)
        .where(is_known_fact(Post), Post.person_id.in_(select(RoleGrant.person_id)))
        .order_by(Post.valid_from)
    )
    periods: dict[int, list[UnitPeriod]] = defaultdict(list)
    for person_id, unit_id, since, until in rows:
        periods[person_id].append((unit_id, since, until))
    return periods


class _GrantReviewer:
    """Finds the reasons why a grant no longer fits."""

    def __init__(
        self, force: Workforce, tree: UnitTree, posts: dict[int, list[UnitPeriod]], rows: Iterable[Any]
    ) -> None:
        self._force, self._tree, self._posts = force, tree, posts
        self._grants_of_role: dict[tuple[int, str], list[RoleGrant]] = defaultdict(list)
        for grant, *_ in rows:
            self._grants_of_role[grant.person_id, grant.role].append(grant)

    def label_of_unit(self, unit_id: int | None) -> str:
        """The unit's label today or, if it has ended, on its last day; empty without a unit."""
        return "" if unit_id is None else self._tree.last_label_on(unit_id, self._force.day)

    def path_of_unit(self, unit_id: int | None) -> str:
        return "" if unit_id is None else self._tree.last_path_on(unit_id, self._force.day)

    def list_reasons(self, grant: RoleGrant) -> Iterable[str]:
        """The reasons, the most important first; none if the grant fits."""
        own_posts = self._force.posts_of(grant.person_id)
        if not own_posts:
            yield self._no_post_reason(grant.person_id)
        if grant.unit_id is not None and grant.role not in UNIT_ROLES:
            yield "This role has no effect on a unit. If it is needed, give it for the whole force."
        elif grant.unit_id is not None and grant.unit_id not in self._force.units:
            yield self._unit_ended_reason(grant.unit_id)
        else:
            if own_posts and grant.unit_id is not None and self._is_elsewhere(grant):
                yield self._moved_reason(grant)
            if own_posts and grant.role == Role.MANAGER:
                yield from self._nobody_below_reasons(grant)
        yield from self._duplicate_reasons(grant)

    def _no_post_reason(self, person_id: int) -> str:
        day = self._force.day
        last_days = [until for _, _, until in self._posts[person_id] if until < day]
        first_days = [since for _, since, _ in self._posts[person_id] if since > day]
        reason = f"No post since {day_words(max(last_days))}" if last_days else "No post yet"
        return f"{reason}; the next begins on {day_words(min(first_days))}." if first_days else f"{reason}."

    def _unit_ended_reason(self, unit_id: int) -> str:
        last_days = [
            state.valid_to for state in self._tree.states_of(unit_id) if state.valid_to < self._force.day
        ]
        if not last_days:
            return "The unit does not exist today."
        return f"The unit ended on {day_words(max(last_days))}."

    def _are_related(self, unit_id: int, other: int) -> bool:
        """Whether the units are the same, or one is above the other."""
        return unit_id in self._force.unit_and_above(other) or other in self._force.unit_and_above(unit_id)

    def _is_elsewhere(self, grant: RoleGrant) -> bool:
        """Whether no post of today is in, below or above the grant's unit, though one was when it was given.

        A manager's grant must always fit; another role may be given on purpose for a unit of others.
        """
        unit_id = grant.unit_id or 0
        if any(self._are_related(unit_id, post.unit_id) for post in self._force.posts_of(grant.person_id)):
            return False
        periods = self._posts[grant.person_id]
        units_when_given = [u for u, since, until in periods if since <= grant.valid_from <= until]
        return grant.role == Role.MANAGER or any(self._are_related(unit_id, u) for u in units_when_given)

    def _moved_reason(self, grant: RoleGrant) -> str:
        labels = sorted({self.label_of_unit(post.unit_id) for post in self._force.posts_of(grant.person_id)})
        return f"The post is now elsewhere: {' and '.join(labels)}."

    def _nobody_below_reasons(self, grant: RoleGrant) -> Iterable[str]:
        if grant.unit_id is None:
            if not self._force.reports_to(grant.person_id):
                yield "Nobody has this person as line manager."
        elif not self._force.people_under(grant.unit_id) - {grant.person_id}:
            yield "Nobody else has a post in this unit or below it."

    def _duplicate_reasons(self, grant: RoleGrant) -> Iterable[str]:
        for other in self._grants_of_role[grant.person_id, grant.role]:
            if other.id == grant.id or other.valid_to < grant.valid_to:
                continue
            if other.unit_id == grant.unit_id:
                if (other.valid_to, -other.id) > (grant.valid_to, -grant.id):
                    until = "" if other.valid_to == OPEN_END else f" until {day_words(other.valid_to)}"
                    yield f"Given twice: this person has the same role on the same unit{until}."
            elif self._is_wider(other, grant):
                yield f"Covered by the same role on {self._place_words(other)}."

    def _place_words(self, grant: RoleGrant) -> str:
        return where_words(Role(grant.role), self.label_of_unit(grant.unit_id)).replace("Whole", "the whole")

    def _is_wider(self, other: RoleGrant, grant: RoleGrant) -> bool:
        """Whether ``other`` allows everything that ``grant`` allows."""
        if other.unit_id is None:
            return grant.role != Role.MANAGER
        if grant.unit_id is not None:
            return other.unit_id in self._force.unit_and_above(grant.unit_id)
        reports = self._force.reports_to(grant.person_id)
        return (
            grant.role == Role.MANAGER
            and bool(reports)
            and all(other.unit_id in self._force.unit_and_above(post.unit_id) for post in reports)
        )


def review_heading(grants: list[GrantToReview]) -> str:
    """The heading of the page that lists these grants."""
    if not grants:
        return "Every grant fits a post"
    return f"{plural(len(grants), 'grant')} to look at again"
