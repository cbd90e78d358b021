"""What forms of evidence offer: what can be counted, and of whom."""

from dataclasses import dataclass

from sqlalchemy import select

from portal.domain.catalogue.event_types import current_event_types
from portal.domain.catalogue.guide_publishing import current_guides
from portal.domain.people.models import Post
from portal.domain.people.queries import live_units
from portal.domain.people.rank_order import sort_ranks
from portal.domain.reports.directive_snapshot import read_directives
from portal.domain.reports.parameters import Position
from portal.platform.db import db

Choices = dict[str, str]  # labels by value, in order


@dataclass(frozen=True, slots=True)
class PopulationChoices:
    """The units of a day by path, and every role and rank that a post ever had."""

    units: Choices
    roles: Choices
    ranks: Choices


def list_populations(position: Position) -> PopulationChoices:
    """Of whom a share can be. Three statements."""
    units = sorted(live_units(position.as_at, position.as_known_on).values(), key=lambda unit: unit.path)
    roles = db.session.scalars(select(Post.designated_role).distinct().order_by(Post.designated_role))
    ranks = sort_ranks(db.session.scalars(select(Post.rank_or_grade).distinct()))
    return PopulationChoices(
        {unit.path: unit.label for unit in units},
        {role: role for role in roles},
        {rank: rank for rank in ranks},
    )


def list_countables(position: Position) -> Choices:
    """What a figure can count: each directive as a whole, and each of its requirements.

    The values are a reference and the key of a requirement, or nothing, with a space between.
    """
    choices: Choices = {}
    for directive in read_directives(position):
        choices[f"{directive.reference} "] = f"{directive.reference}: everything it requires"
        for requirement in directive.requirements:
            choices[f"{directive.reference} {requirement.key}"] = (
                f"{directive.reference}: {requirement.title}"
            )
    return choices


def list_guides() -> Choices:
    """The published guides that readers acknowledge."""
    return {version.activity.key: version.title for version in current_guides() if version.acknowledge}


def list_event_titles() -> Choices:
    """The published event types."""
    return {version.activity.key: version.title for version in current_event_types()}
