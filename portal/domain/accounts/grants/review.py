"""Grants that no longer fit a post, each with the reasons in words."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from portal.domain.accounts.grants import authority
from portal.domain.accounts.grants.labels import role_words, where_words
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.queries import Viewer, visible_people
from portal.domain.people.units.tree import UnitTree, read_tree
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.people.workforce import Workforce
from portal.platform.db import OPEN_END, db
from portal.platform.permissions import UNIT_ROLES, Role
from portal.platform.wording import date as day_words
from portal.platform.wording import plural

UnitPeriod = tuple[int, date, date]  # a unit, and from when to when a post stood in it


@dataclass(frozen=True, slots=True)
class GrantToReview:
    """A grant to look at again."""

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
    """The grants of today that an administrator may end and that fit no post any more, by name.

    Five statements at most, however many grants there are.
    """
    units = authority.administered_units(viewer)
    mine = None if units is None else authority.people_administered_in(units, force)
    rows = _list_live_grants(viewer, force)
    judge = _GrantReviewer(force, read_tree(), _posts_by_holder(), rows)
    found = []
    for grant, staff_number, surname, forenames in rows:
        if mine is not None and grant.person_id not in mine:
            continue
        if reasons := tuple(judge.list_reasons(grant)):
            role = Role(grant.role)
            found.append(
                GrantToReview(
                    grant_id=grant.id,
                    person_id=grant.person_id,
                    staff_number=staff_number,
                    name=f"{surname}, {forenames}",
                    role=role_words(role),
                    where=where_words(role, path := judge.path_of_unit(grant.unit_id)),
                    unit_path=path,
                    since=grant.valid_from,
                    reasons=reasons,
                )
            )
    return found


def _list_live_grants(viewer: Viewer, force: Workforce) -> list[Any]:
    """The grants of the day of those whom the viewer may see, by name."""
    return list(
        db.session.execute(
            select(RoleGrant, PersonName.staff_number, PersonName.surname, PersonName.forenames)
            .join(PersonName, PersonName.person_id == RoleGrant.person_id)
            .where(
                is_valid_on(RoleGrant, force.day),
                RoleGrant.ended_at.is_(None),
                RoleGrant.person_id.in_(visible_people(viewer)),
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


def _posts_by_holder() -> dict[int, list[UnitPeriod]]:
    """Every known post of those who hold or held a role."""
    rows = db.session.execute(
        select(Post.person_id, Post.unit_id, Post.valid_from, Post.valid_to)
        .where(is_known_fact(Post), Post.person_id.in_(select(RoleGrant.person_id)))
        .order_by(Post.valid_from)
    )
    found: dict[int, list[UnitPeriod]] = defaultdict(list)
    for person_id, unit_id, since, until in rows:
        found[person_id].append((unit_id, since, until))
    return found


class _GrantReviewer:
    """Says of a grant why it no longer fits."""

    def __init__(
        self, force: Workforce, tree: UnitTree, posts: dict[int, list[UnitPeriod]], rows: Iterable[Any]
    ) -> None:
        self._force, self._tree, self._posts = force, tree, posts
        self._beside: dict[tuple[int, str], list[RoleGrant]] = defaultdict(list)
        for grant, *_ in rows:
            self._beside[grant.person_id, grant.role].append(grant)

    def path_of_unit(self, unit_id: int | None) -> str:
        return "" if unit_id is None else self._tree.last_path_on(unit_id, self._force.day)

    def list_reasons(self, grant: RoleGrant) -> Iterable[str]:
        """The reasons, the weightiest first; none where the grant fits."""
        own = self._force.posts_of(grant.person_id)
        if not own:
            yield self._no_post_reason(grant.person_id)
        if grant.unit_id is not None and grant.role not in UNIT_ROLES:
            yield "The role gives nothing on a unit. Give it for the whole force, if it is needed."
        elif grant.unit_id is not None and grant.unit_id not in self._force.units:
            yield self._unit_ended_reason(grant.unit_id)
        else:
            if own and grant.unit_id is not None and self._is_elsewhere(grant):
                yield self._moved_reason(grant)
            if own and grant.role == Role.MANAGER:
                yield from self._nobody_below_reasons(grant)
        yield from self._duplicate_reasons(grant)

    def _no_post_reason(self, person_id: int) -> str:
        day = self._force.day
        ended = [until for _, _, until in self._posts[person_id] if until < day]
        to_come = [since for _, since, _ in self._posts[person_id] if since > day]
        said = f"No post since {day_words(max(ended))}" if ended else "No post yet"
        return f"{said}; the next begins on {day_words(min(to_come))}." if to_come else f"{said}."

    def _unit_ended_reason(self, unit_id: int) -> str:
        ended = [
            state.valid_to for state in self._tree.states_of(unit_id) if state.valid_to < self._force.day
        ]
        return f"The unit ended on {day_words(max(ended))}." if ended else "The unit does not stand today."

    def _are_related(self, unit_id: int, other: int) -> bool:
        """Whether one of the units is the other or stands above it."""
        return unit_id in self._force.unit_and_above(other) or other in self._force.unit_and_above(unit_id)

    def _is_elsewhere(self, grant: RoleGrant) -> bool:
        """Whether no post of today stands in, under or over the unit, though one did when it was granted.

        A manager's grant must fit in any case; another role may be given for a unit of others on purpose.
        """
        unit_id = grant.unit_id or 0
        if any(self._are_related(unit_id, post.unit_id) for post in self._force.posts_of(grant.person_id)):
            return False
        then = [u for u, since, until in self._posts[grant.person_id] if since <= grant.valid_from <= until]
        return grant.role == Role.MANAGER or any(self._are_related(unit_id, each) for each in then)

    def _moved_reason(self, grant: RoleGrant) -> str:
        paths = sorted({self.path_of_unit(post.unit_id) for post in self._force.posts_of(grant.person_id)})
        return f"The post is now elsewhere: {' and '.join(paths)}."

    def _nobody_below_reasons(self, grant: RoleGrant) -> Iterable[str]:
        if grant.unit_id is None:
            if not self._force.reports_to(grant.person_id):
                yield "Nobody has this person as line manager."
        elif not self._force.people_under(grant.unit_id) - {grant.person_id}:
            yield "Nobody else has a post in this unit or under it."

    def _duplicate_reasons(self, grant: RoleGrant) -> Iterable[str]:
        for other in self._beside[grant.person_id, grant.role]:
            if other.id == grant.id or other.valid_to < grant.valid_to:
                continue
            if other.unit_id == grant.unit_id:
                if (other.valid_to, -other.id) > (grant.valid_to, -grant.id):
                    until = "" if other.valid_to == OPEN_END else f" until {day_words(other.valid_to)}"
                    yield f"Given twice: the same role is held on the same unit{until}."
            elif self._is_wider(other, grant):
                yield f"Covered by the same role on {self._place_words(other)}."

    def _place_words(self, grant: RoleGrant) -> str:
        return where_words(Role(grant.role), self.path_of_unit(grant.unit_id)).replace("Whole", "the whole")

    def _is_wider(self, other: RoleGrant, grant: RoleGrant) -> bool:
        """Whether ``other`` gives all that ``grant`` gives."""
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


def review_heading(found: list[GrantToReview]) -> str:
    """How many there are, as the heading of their page says it."""
    if not found:
        return "Every grant fits a post"
    return f"{plural(len(found), 'grant')} to look at again"
