"""The versions of a narrative that are known at a position."""

from collections.abc import Sequence

from sqlalchemy import select

from portal.domain.assurance.models import Narrative
from portal.domain.people.as_of import is_known_fact
from portal.domain.reports.parameters import Position
from portal.platform.db import db

MOST_SHOWN = 20


def list_narratives(recommendation_id: int, position: Position) -> Sequence[Narrative]:
    """The newest versions of a recommendation's narrative, at most ``MOST_SHOWN``.

    Args:
        recommendation_id: Of the recommendation.
        position: Versions that hold from a later day, or were recorded after its instant, are left out.

    Returns:
        The one that was recorded last first. One statement.
    """
    statement = (
        select(Narrative)
        .where(
            Narrative.recommendation_id == recommendation_id,
            Narrative.from_on <= position.as_at,
            is_known_fact(Narrative, position.as_known_on),
        )
        .order_by(Narrative.recorded_at.desc(), Narrative.id.desc())
        .limit(MOST_SHOWN)
    )
    return db.session.scalars(statement).all()
