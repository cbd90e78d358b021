"""In which role somebody decided something: what a learner is told instead of a name."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select

from portal.domain.people.models import RoleGrant
from portal.platform.clock import london_day
from portal.platform.db import db
from portal.platform.permissions import Role

UNNAMED_DECIDER = "your force"
_WORDS = {
    Role.DIRECTIVE_OWNER: "a directive owner",
    Role.ADMINISTRATOR: "an administrator",
}  # the first counts


def describe_deciders(acts: Collection[tuple[int, datetime]]) -> dict[tuple[int, datetime], str]:
    """By person and instant, the words for the role that the person held then. At most one statement."""
    if not acts:
        return {}
    people = sorted({person_id for person_id, _ in acts})
    grants = db.session.scalars(
        select(RoleGrant).where(RoleGrant.person_id.in_(people), RoleGrant.role.in_(sorted(_WORDS)))
    ).all()
    return {act: _decider_words([grant.role for grant in grants if _was_held(grant, *act)]) for act in acts}


def _was_held(grant: RoleGrant, person_id: int, at: datetime) -> bool:
    ended = grant.ended_at is not None and grant.ended_at <= at
    return grant.person_id == person_id and grant.valid_from <= london_day(at) <= grant.valid_to and not ended


def _decider_words(held: Collection[str]) -> str:
    return next((words for role, words in _WORDS.items() if role in held), UNNAMED_DECIDER)
