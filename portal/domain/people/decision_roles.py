"""The role in which somebody decided something, which a learner sees instead of a name."""

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
    Role.FACILITATOR: "a facilitator",
}  # the first that the person had


def describe_deciders(acts: Collection[tuple[int, datetime]]) -> dict[tuple[int, datetime], str]:
    """The role that each person had at an instant, in words, by person and instant. One statement at most."""
    if not acts:
        return {}
    people = sorted({person_id for person_id, _ in acts})
    grants = db.session.scalars(
        select(RoleGrant).where(RoleGrant.person_id.in_(people), RoleGrant.role.in_(sorted(_WORDS)))
    ).all()
    return {
        act: _decider_words([grant.role for grant in grants if _was_granted(grant, *act)]) for act in acts
    }


def _was_granted(grant: RoleGrant, person_id: int, at: datetime) -> bool:
    ended = grant.ended_at is not None and grant.ended_at <= at
    return grant.person_id == person_id and grant.valid_from <= london_day(at) <= grant.valid_to and not ended


def _decider_words(roles: Collection[str]) -> str:
    return next((words for role, words in _WORDS.items() if role in roles), UNNAMED_DECIDER)
