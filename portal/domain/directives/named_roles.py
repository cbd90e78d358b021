"""Which roles and ranks directives name, and which roles people have that no directive names.

A role that nobody named is often one that was mistyped: whoever has it falls out of every directive that
selects by roles, and nothing else would say so.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, select

from portal.domain.directives.as_of import known_facts
from portal.domain.directives.audience import AudienceVersion, list_versions_in_force
from portal.domain.directives.fact_loader import load_versions
from portal.domain.directives.models import Assignment
from portal.domain.directives.pending import ALL_KNOWN
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import PersonName, Post
from portal.domain.people.visibility.rules import is_valid_on
from portal.platform.db import db
from portal.platform.spelling import find_mistyped

FEW = 3  # people of a role that are shown


@dataclass(frozen=True, slots=True)
class NamedValues:
    """The roles and ranks that directives in force today or later name, also to except them."""

    roles: frozenset[str]
    ranks: frozenset[str]
    is_any: bool  # whether there is such a directive

    @classmethod
    def of(cls, versions: Iterable[AudienceVersion], today: date) -> "NamedValues":
        """What those of all recorded versions name that are in force on the day or later."""
        by_directive: dict[int, list[AudienceVersion]] = defaultdict(list)
        for version in known_facts(versions, ALL_KNOWN):
            by_directive[version.directive_id].append(version)
        in_force = (each for known in by_directive.values() for each in list_versions_in_force(known))
        live = [each.version for each in in_force if each.last >= today.toordinal()]
        tables = [table for version in live for table in (*version.audience, *version.exceptions)]
        roles, ranks = (
            frozenset(str(text) for table in tables for text in table.get(column, ()))
            for column in ("designated_role", "rank_or_grade")
        )
        return cls(roles, ranks, bool(live))


def read_named_values(today: date) -> NamedValues:
    """What directives name, as known now. One statement."""
    return NamedValues.of(load_versions(with_activities=False), today)


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A role or rank that a directive names and nobody has."""

    column: str  # designated_role or rank_or_grade
    text: str
    alike: str  # one that somebody has, of which it is perhaps a mistyping; else empty


def list_unknown_names(tables: Iterable[Mapping[str, Sequence[str]]], day: date) -> list[UnknownName]:
    """The roles and ranks in these groups of people that nobody has on the day or later. One statement."""
    columns = (Post.designated_role, Post.rank_or_grade)
    posts = select(*columns).where(is_known_fact(Post), Post.valid_to >= day).distinct()
    rows = db.session.execute(posts).all()
    known = {column.key: {row[place] for row in rows} for place, column in enumerate(columns)}
    named = [(key, text) for table in tables for key in known for text in table.get(key, ())]
    return [
        UnknownName(key, text, find_mistyped(text, known[key]))
        for key, text in dict.fromkeys(named)
        if text not in known[key]
    ]


@dataclass(frozen=True, slots=True)
class UnnamedRole:
    """A role that people have today and no directive names."""

    role: str
    people: int
    without: int  # of them, those whom no directive applies to
    alike: str  # a role that a directive names, of which it is perhaps a mistyping; else empty
    numbers: tuple[str, ...]  # staff numbers of a few of them


def list_unnamed_roles(today: date) -> list[UnnamedRole]:
    """Roles that are perhaps mistyped, or whose people have nothing to complete; the likeliest first.

    None where no directive is in force. Two statements, however many people have them.
    """
    named = read_named_values(today)
    if not named.is_any:
        return []
    is_assigned = exists().where(
        Assignment.person_id == Post.person_id, is_known_fact(Assignment), Assignment.to_on >= today
    )
    rows = db.session.execute(
        select(Post.designated_role, PersonName.staff_number, is_assigned)
        .join(PersonName, PersonName.person_id == Post.person_id)
        .where(is_known_fact(Post), is_valid_on(Post, today), Post.designated_role.not_in(named.roles))
        .order_by(PersonName.staff_number)
    )
    holders: dict[str, dict[str, bool]] = defaultdict(dict)
    for role, number, has_something in rows:
        holders[role][number] = has_something
    found = [_describe_role(role, people, named) for role, people in holders.items()]
    wanted = [role for role in found if role.alike or role.without]
    return sorted(wanted, key=lambda role: (not role.alike, -role.without, role.role))


def _describe_role(role: str, people: dict[str, bool], named: NamedValues) -> UnnamedRole:
    without = [number for number, has_something in people.items() if not has_something]
    shown = tuple(without or people)[:FEW]
    return UnnamedRole(role, len(people), len(without), find_mistyped(role, named.roles), shown)
