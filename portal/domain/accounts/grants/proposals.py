"""Proposes managers' grants from line management: for whom, on which unit, and how many people it shows."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.domain.accounts.grants import authority
from portal.domain.accounts.grants.changes import NewGrant
from portal.domain.accounts.grants.grant_list import where_words
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.queries import Viewer
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.people.workforce import LivePost, Workforce
from portal.platform.db import db
from portal.platform.errors import ConflictError
from portal.platform.permissions import Role

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
    units = authority.administered_units(viewer)
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

    Raises:
        ConflictError: A proposal is no longer what was shown.
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
        .where(RoleGrant.person_id.in_(authority.people_in_administration(viewer)))
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
        .where(PersonName.person_id.in_(named), authority.is_administered(PersonName.person_id, viewer))
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
