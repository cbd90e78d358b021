"""Managers' grants proposed from line management: for whom, on which unit, and what each would see."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from portal.domain.accounts.grants import authority
from portal.domain.accounts.grants.changes import NewGrant
from portal.domain.accounts.grants.labels import where_words
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post, RoleGrant
from portal.domain.people.queries import Viewer, visible_people
from portal.domain.people.visibility.rules import is_valid_on
from portal.domain.people.workforce import LivePost, Workforce
from portal.platform.db import db
from portal.platform.errors import ConflictError
from portal.platform.permissions import Role

ManagedUnits = Mapping[
    int, set[int | None]
]  # the units on which each person is a manager; None: direct reports


@dataclass(frozen=True, slots=True)
class GrantOption:
    """Where a grant could hold, and how many people it would give sight of."""

    unit_id: int | None
    where: str  # the unit's path
    short_name: str  # its name
    people_seen: int

    @property
    def form_value(self) -> str:
        """What a form sends for it."""
        return "" if self.unit_id is None else str(self.unit_id)


@dataclass(frozen=True, slots=True)
class GrantProposal:
    """A line manager without a grant that covers those whom they manage."""

    person_id: int
    staff_number: str
    name: str
    rank: str
    unit_path: str  # of their own post
    report_count: int
    managed_paths: str  # what they are a manager of already, though it covers only a part
    options: tuple[GrantOption, ...]  # the proposed one first

    def option_of_value(self, value: str) -> GrantOption | None:
        """The offer that a form sent; None where there is no such offer."""
        return next((each for each in self.options if each.form_value == value), None)


def list_proposals(viewer: Viewer, force: Workforce) -> list[GrantProposal]:
    """A proposal for each line manager whose people no grant covers, by name. Four statements at most.

    An administrator of units is shown proposals for those whose account they may change, on their units;
    nobody is shown one for themself, since nobody gives themself a role.
    """
    units = authority.administered_units(viewer)
    mine = None if units is None else authority.people_administered_in(units, force)
    held = _read_managed_units(force)
    found = []
    for row in _list_line_managers(viewer, force):
        reports = force.reports_to(row.person_id)
        own = force.posts_of(row.person_id)
        if not own or not reports or (mine is not None and row.person_id not in mine):
            continue
        if row.person_id == viewer.person_id:
            continue
        if _is_covered(reports, held.get(row.person_id, set()), force):
            continue
        if offers := _build_options(row.person_id, reports, own, force, units):
            found.append(_build_proposal(row, own[0], reports, held.get(row.person_id, set()), offers, force))
    return found


def find_chosen(
    wanted: Iterable[tuple[str, str]], open_ones: list[GrantProposal]
) -> list[tuple[GrantProposal, GrantOption]]:
    """What was chosen: pairs of a staff number and the value of an offer.

    Raises:
        ConflictError: A proposal is no longer what was shown.
    """
    by_number = {proposal.staff_number: proposal for proposal in open_ones}
    found: list[tuple[GrantProposal, GrantOption]] = []
    gone: list[str] = []
    for staff_number, value in dict(wanted).items():
        proposal = by_number.get(staff_number)
        offer = proposal.option_of_value(value) if proposal else None
        if proposal is None or offer is None:
            gone.append(staff_number)
        else:
            found.append((proposal, offer))
    if gone:
        raise ConflictError(
            f"What is proposed for {', '.join(gone)} has changed since you looked. Nothing was given: "
            "look through the proposals again."
        )
    return found


def list_pairs_not_held(
    viewer: Viewer, wanted: Iterable[tuple[str, str]], force: Workforce
) -> list[tuple[str, str]]:
    """Those of ``wanted`` that the viewer does not see held today: what is sent twice is given once."""
    asked = list(wanted)
    rows = db.session.execute(
        select(PersonName.staff_number, RoleGrant.unit_id)
        .join(RoleGrant, RoleGrant.person_id == PersonName.person_id)
        .where(
            RoleGrant.role == Role.MANAGER, is_valid_on(RoleGrant, force.day), RoleGrant.ended_at.is_(None)
        )
        .where(RoleGrant.person_id.in_(visible_people(viewer)))
    )
    held = {(number, "" if unit_id is None else str(unit_id)) for number, unit_id in rows}
    return [pair for pair in asked if pair not in held]


def build_new_grants(pairs: Iterable[tuple[GrantProposal, GrantOption]]) -> list[NewGrant]:
    """The grants that were chosen."""
    return [NewGrant(proposal.person_id, Role.MANAGER, offer.unit_id) for proposal, offer in pairs]


def _read_managed_units(force: Workforce) -> ManagedUnits:
    rows = db.session.execute(
        select(RoleGrant.person_id, RoleGrant.unit_id).where(
            RoleGrant.role == Role.MANAGER, is_valid_on(RoleGrant, force.day), RoleGrant.ended_at.is_(None)
        )
    )
    found: dict[int, set[int | None]] = defaultdict(set)
    for person_id, unit_id in rows:
        found[person_id].add(unit_id)
    return found


def _list_line_managers(viewer: Viewer, force: Workforce) -> Iterable[Any]:
    """Those whom a post of the day names as line manager and whom the viewer may see, by name."""
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
        .where(PersonName.person_id.in_(named), PersonName.person_id.in_(visible_people(viewer)))
        .order_by(PersonName.surname, PersonName.forenames, PersonName.staff_number)
    ).all()


def _is_covered(reports: list[LivePost], held: set[int | None], force: Workforce) -> bool:
    """Whether what is held gives sight of everyone managed."""
    if None in held:
        return True
    return all(held.intersection(force.unit_and_above(post.unit_id)) for post in reports)


def _build_options(
    person_id: int, reports: list[LivePost], own: list[LivePost], force: Workforce, units: set[int] | None
) -> tuple[GrantOption, ...]:
    """The smallest unit that holds all reports, and direct reports alone; what is proposed stands first.

    The unit is proposed to those whose own post stands in it or above it. Anybody else would see people
    beside those whom they manage, so direct reports come first. Who administers units gives roles on these
    alone.
    """
    found = []
    over = force.smallest_common_unit(post.unit_id for post in reports)
    if over is not None and (units is None or over in units):
        unit, sees = force.units[over], len(force.people_under(over) - {person_id})
        found.append(GrantOption(over, unit.path, unit.name, sees))
    if units is None:
        words = where_words(Role.MANAGER, "")
        direct = GrantOption(None, words, words, len({post.person_id for post in reports}))
        heads = over is not None and any(post.unit_id in force.unit_and_above(over) for post in own)
        found.insert(len(found) if heads else 0, direct)
    return tuple(found)


def _build_proposal(
    row: Any,
    own: LivePost,
    reports: list[LivePost],
    held: set[int | None],
    offers: tuple[GrantOption, ...],
    force: Workforce,
) -> GrantProposal:
    unit = force.units.get(own.unit_id)
    paths = sorted(force.units[u].path for u in held if u is not None and u in force.units)
    return GrantProposal(
        person_id=row.person_id,
        staff_number=row.staff_number,
        name=f"{row.surname}, {row.forenames}",
        rank=row.rank,
        unit_path=unit.path if unit else "",
        report_count=len({post.person_id for post in reports}),
        managed_paths=", ".join(paths),
        options=offers,
    )
