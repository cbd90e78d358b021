"""What is a person's own at the desk: recommendations, actions, and evidence that no longer holds."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import aliased

from portal.domain.assurance.action_links import ActionLine, list_action_lines
from portal.domain.assurance.actions import ENDED
from portal.domain.assurance.desk import RecommendationSnapshot, read_desk
from portal.domain.assurance.models import ActionVersion
from portal.domain.people.as_of import is_known_fact
from portal.domain.reports.parameters import Position
from portal.platform.db import db

_other = aliased(ActionVersion)


@dataclass(frozen=True, slots=True)
class OwnWork:
    """What is a person's own at a position, each list in its order; empty where there is nothing."""

    recommendations: tuple[RecommendationSnapshot, ...]
    actions: tuple[ActionLine, ...]  # neither done nor dropped
    titles: dict[str, str]  # of recommendations, by key
    sent_back: tuple[RecommendationSnapshot, ...]  # whose last judgement was theirs, and was sent back


def read_own_work(person_id: int, position: Position) -> OwnWork:
    """The recommendations and the unfinished actions that a person owns, in a fixed number of statements."""
    desk = read_desk(position)
    lines = list_action_lines(desk, position.as_at)
    return OwnWork(
        tuple(recommendation for recommendation in desk if recommendation.owner_id == person_id),
        tuple(line for line in lines if line.owner_id == person_id and not line.has_ended),
        {recommendation.key: recommendation.version.title for recommendation in desk},
        tuple(each for each in desk if each.sent_back and each.sent_back.judgement.made_by_id == person_id),
    )


def count_own_actions(person_id: int, today: date) -> int:
    """How many unfinished actions a person owns today, as known now. One statement."""
    versions: dict[int, ActionVersion] = {}
    theirs = select(_other.action_id).where(_other.owner_id == person_id)  # on some day: of few people, few
    statement = select(ActionVersion).where(
        is_known_fact(ActionVersion), ActionVersion.from_on <= today, ActionVersion.action_id.in_(theirs)
    )
    order = (ActionVersion.from_on, ActionVersion.recorded_at, ActionVersion.id)
    for version in db.session.scalars(statement.order_by(*order)):
        versions[version.action_id] = version
    return sum(version.owner_id == person_id and version.state not in ENDED for version in versions.values())
