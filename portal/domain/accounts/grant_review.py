"""Grants that line management suggests, and grants that no longer fit a post."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased

from portal.domain.accounts import grants
from portal.domain.accounts.grants import (
    GrantFilters,
    GrantRow,
    NewGrant,
    is_in_administration,
    role_words,
    where_words,
)
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.names import find_current_unit, name_conditions
from portal.domain.people.positions import is_known_fact
from portal.domain.people.queries import LivePost, Workforce, live_units, units_under
from portal.domain.people.units import UnitTree, read_tree
from portal.domain.people.visibility import Viewer, is_line_manager, is_valid_on
from portal.platform.db import OPEN_END, db
from portal.platform.errors import ConflictError
from portal.platform.permissions import UNIT_ROLES, Role
from portal.platform.wording import date as day_words
from portal.platform.wording import plural

# Line managers who see their direct reports without a grant, worked out from today's roster.

_direct_report: Any = aliased(Post)


def count_line_managers(viewer: Viewer, day: date) -> int:
    """Count the line managers with a post on ``day`` whose accounts the viewer may look at. One statement."""
    statement = select(func.count()).select_from(PersonName).where(is_line_manager(PersonName.person_id, day))
    return db.session.scalar(statement.where(*_visible_with_post(viewer, day))) or 0


def list_line_managers(viewer: Viewer, filters: GrantFilters, day: date) -> list[GrantRow]:
    """Those line managers as rows of the grant list. Two statements at most, three with a unit.

    Raises:
        RuleError: Several units have the name.
    """
    if filters.role not in {"", Role.MANAGER}:
        return []
    named_by = (
        _direct_report.line_manager_id == PersonName.person_id,
        _direct_report.person_id != PersonName.person_id,
    )
    conditions: list[ColumnElement[bool]] = [
        is_known_fact(_direct_report),
        is_valid_on(_direct_report, day),
        *name_conditions(filters.q),
    ]
    if filters.unit:
        unit_id = find_current_unit(filters.unit, live_units(day))
        conditions.append(_direct_report.unit_id.in_(sorted(units_under(unit_id, day))))
    name = (PersonName.staff_number, PersonName.surname, PersonName.forenames)
    rows = db.session.execute(
        select(*name, func.min(_direct_report.valid_from), func.min(_direct_report.recorded_at))
        .join(_direct_report, named_by[0] & named_by[1])
        .where(*conditions, *_visible_with_post(viewer, day))
        .group_by(*name)
    )
    return [_grant_row(*row) for row in rows]


def _visible_with_post(viewer: Viewer, day: date) -> Iterable[ColumnElement[bool]]:
    """WHERE clauses: the viewer may look at the account of the person, who has a post on the day."""
    with_post = select(Post.person_id).where(is_known_fact(Post), is_valid_on(Post, day))
    person_id = PersonName.person_id
    return is_in_administration(person_id, viewer), person_id.in_(with_post)


def _grant_row(staff_number: str, surname: str, forenames: str, since: date, recorded_at: Any) -> GrantRow:
    return GrantRow(
        staff_number=staff_number,
        name=f"{surname}, {forenames}",
        role="Manager",
        where="Direct reports",
        since=since,
        until=None,
        given_by="The roster",
        given_at=recorded_at,
        ended_by="",
        ended_at=None,
        over=False,
    )


# Proposes managers' grants from line management: for whom, on which unit, and how many people it shows.

# The units of each person's grants as manager, by the person's id; None: direct reports.
ManagedUnits = Mapping[int, set[int | None]]


@dataclass(frozen=True, slots=True)
class GrantOption:
    """A unit or direct reports, on which a grant could be given, and how many people it would show."""

    unit_id: int | None
    where: str  # the unit's label
    people_seen: int

    @property
    def form_value(self) -> str:
        """What a form sends for this option."""
        return "" if self.unit_id is None else str(self.unit_id)


@dataclass(frozen=True, slots=True)
class GrantProposal:
    """A line manager whose grants do not show everyone they manage, and the grants to choose from."""

    person_id: int
    staff_number: str
    name: str
    rank: str
    unit_path: str  # of their own post
    unit_label: str
    report_count: int
    managed_units: str  # the units of which they are a manager already
    options: tuple[GrantOption, ...]  # the proposed one first

    def option_of_value(self, value: str) -> GrantOption | None:
        """The option that a form sent; None if there is no such option."""
        return next((option for option in self.options if option.form_value == value), None)


def list_proposals(viewer: Viewer, force: Workforce) -> list[GrantProposal]:
    """Propose a grant for each line manager whose grants do not show everyone they manage, by name.

    Four statements at most. An administrator of units gets proposals for people whose accounts they may
    change, on their units; nobody gets one for themself, since nobody gives themself a role.
    """
    units = grants.administered_units(viewer)
    managed_units = _read_managed_units(force)
    proposals = []
    for row in _list_line_managers(viewer, force):
        reports = force.reports_to(row.person_id)
        own_posts = force.posts_of(row.person_id)
        managed = managed_units.get(row.person_id, set())
        if not own_posts or not reports:
            continue
        if row.person_id == viewer.person_id or _are_covered(reports, managed, force):
            continue
        if options := _build_options(row.person_id, reports, own_posts, force, units):
            proposals.append(_build_proposal(row, own_posts[0], reports, managed, options, force))
    return proposals


def find_chosen_options(
    choices: Iterable[tuple[str, str]], proposals: list[GrantProposal]
) -> list[tuple[GrantProposal, GrantOption]]:
    """The proposals and options that were chosen.

    Args:
        choices: Pairs of a staff number and the ``form_value`` of an option.
        proposals: The proposals of now.
    """
    proposal_by_number = {proposal.staff_number: proposal for proposal in proposals}
    chosen: list[tuple[GrantProposal, GrantOption]] = []
    changed_numbers: list[str] = []
    for staff_number, value in dict(choices).items():
        proposal = proposal_by_number.get(staff_number)
        option = proposal.option_of_value(value) if proposal else None
        if proposal is None or option is None:
            changed_numbers.append(staff_number)
        else:
            chosen.append((proposal, option))
    if changed_numbers:
        raise ConflictError(
            f"The proposal for {', '.join(changed_numbers)} has changed since you looked. Nothing was given. "
            "Check the proposals again."
        )
    return chosen


def list_choices_not_given(
    viewer: Viewer, choices: Iterable[tuple[str, str]], force: Workforce
) -> list[tuple[str, str]]:
    """The choices that are not yet a grant, as far as the viewer sees: what is sent twice is given once."""
    rows = db.session.execute(
        select(PersonName.staff_number, RoleGrant.unit_id)
        .join(RoleGrant, RoleGrant.person_id == PersonName.person_id)
        .where(
            RoleGrant.role == Role.MANAGER, is_valid_on(RoleGrant, force.day), RoleGrant.ended_at.is_(None)
        )
        .where(RoleGrant.person_id.in_(grants.people_in_administration(viewer)))
    )
    given = {(number, "" if unit_id is None else str(unit_id)) for number, unit_id in rows}
    return [choice for choice in choices if choice not in given]


def build_new_grants(chosen: Iterable[tuple[GrantProposal, GrantOption]]) -> list[NewGrant]:
    """The grants to give for the chosen options."""
    return [NewGrant(proposal.person_id, Role.MANAGER, option.unit_id) for proposal, option in chosen]


def _read_managed_units(force: Workforce) -> ManagedUnits:
    rows = db.session.execute(
        select(RoleGrant.person_id, RoleGrant.unit_id).where(
            RoleGrant.role == Role.MANAGER, is_valid_on(RoleGrant, force.day), RoleGrant.ended_at.is_(None)
        )
    )
    managed_units: dict[int, set[int | None]] = defaultdict(set)
    for person_id, unit_id in rows:
        managed_units[person_id].add(unit_id)
    return managed_units


def _list_line_managers(viewer: Viewer, force: Workforce) -> Iterable[Any]:
    """The line managers named by posts of the day whose accounts the viewer may change, by name."""
    named = select(Post.line_manager_id).where(is_known_fact(Post), is_valid_on(Post, force.day))
    rank = (
        select(Post.rank_or_grade)
        .where(Post.person_id == PersonName.person_id, is_known_fact(Post), is_valid_on(Post, force.day))
        .order_by(Post.post_key)  # the main post, "", comes first
        .limit(1)
        .correlate(PersonName)
        .scalar_subquery()
    )
    return db.session.execute(
        select(
            PersonName.person_id,
            PersonName.staff_number,
            PersonName.surname,
            PersonName.forenames,
            rank.label("rank"),
        )
        .where(PersonName.person_id.in_(named), grants.is_administered(PersonName.person_id, viewer))
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
    ).all()


def _are_covered(reports: list[LivePost], managed: set[int | None], force: Workforce) -> bool:
    """Whether grants on these units show all direct reports."""
    if None in managed:
        return True
    return all(managed.intersection(force.unit_and_above(post.unit_id)) for post in reports)


def _build_options(
    person_id: int,
    reports: list[LivePost],
    own_posts: list[LivePost],
    force: Workforce,
    units: set[int] | None,
) -> tuple[GrantOption, ...]:
    """The smallest unit that contains all direct reports, and direct reports alone; the proposed one first.

    The unit comes first if the manager's own post is in it or above it. Anybody else would see people whom
    they do not manage, so direct reports come first. An administrator of ``units`` may give roles on these
    only; None: on all.
    """
    options = []
    unit_id = force.smallest_common_unit(post.unit_id for post in reports)
    if unit_id is not None and (units is None or unit_id in units):
        unit, people_seen = force.units[unit_id], len(force.people_under(unit_id) - {person_id})
        options.append(GrantOption(unit_id, unit.label, people_seen))
    if units is None:
        words = where_words(Role.MANAGER, "")
        direct_reports = GrantOption(None, words, len({post.person_id for post in reports}))
        leads_unit = unit_id is not None and any(
            post.unit_id in force.unit_and_above(unit_id) for post in own_posts
        )
        options.insert(len(options) if leads_unit else 0, direct_reports)
    return tuple(options)


def _build_proposal(
    row: Any,
    main_post: LivePost,
    reports: list[LivePost],
    managed: set[int | None],
    options: tuple[GrantOption, ...],
    force: Workforce,
) -> GrantProposal:
    unit = force.units.get(main_post.unit_id)
    labels = sorted(force.units[u].label for u in managed if u is not None and u in force.units)
    return GrantProposal(
        person_id=row.person_id,
        staff_number=row.staff_number,
        name=f"{row.surname}, {row.forenames}",
        rank=row.rank,
        unit_path=unit.path if unit else "",
        unit_label=unit.label if unit else "",
        report_count=len({post.person_id for post in reports}),
        managed_units=" and ".join(labels),
        options=options,
    )


# Lists grants that no longer fit their person's post, each with the reasons in words.

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
                RoleGrant.person_id.in_(grants.people_administered(viewer)),
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
