"""Checking and publishing of recommendations as immutable versions, and queries of the published ones."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.domain.assurance.models import Recommendation, RecommendationVersion
from portal.domain.assurance.recommendation_source import RECOMMENDATION_FILES, RecommendationSource
from portal.domain.catalogue.sources.validation import sha256_of
from portal.platform.audit.services import log
from portal.platform.db import db, is_newest_version, stamp
from portal.platform.errors import NotFoundError
from portal.platform.formats.faults import Faults

_IS_NEWEST = is_newest_version(RecommendationVersion.recommendation_id)


def current_recommendations() -> list[tuple[str, RecommendationVersion]]:
    """Return the key and the latest version of each recommendation, in their order. One statement."""
    statement = (
        select(Recommendation.key, RecommendationVersion)
        .join(RecommendationVersion, RecommendationVersion.recommendation_id == Recommendation.id)
        .where(_IS_NEWEST)
        .order_by(RecommendationVersion.place, Recommendation.key)
    )
    return [(key, version) for key, version in db.session.execute(statement)]


def numbered_recommendation(key: str, number: int | None = None) -> RecommendationVersion:
    """Return version ``number`` of the recommendation ``key``; the latest unless given.

    Raises:
        NotFoundError: There is no such recommendation, or version.
    """
    condition = _IS_NEWEST if number is None else RecommendationVersion.number == number
    version: RecommendationVersion | None = db.session.scalar(_select_versions(key).where(condition))
    if version is None:
        which = "is not published" if number is None else f"has no version {number}"
        raise NotFoundError(f"The recommendation “{key}” {which}.")
    return version


def _select_versions(key: str) -> Any:
    return (
        select(RecommendationVersion)
        .join(Recommendation, Recommendation.id == RecommendationVersion.recommendation_id)
        .where(Recommendation.key == key)
    )


def read_version_file(key: str, version: RecommendationVersion) -> RecommendationSource:
    """What the file of a published version says, with what has no column of its own."""
    source = RECOMMENDATION_FILES.read_content(key, version.content, Faults())
    if source is None:  # it was checked when it was published
        raise NotFoundError(f"The file of the recommendation “{key}” cannot be read.")
    return source


def publish_recommendations(
    sources: Iterable[RecommendationSource], *, at: datetime, by: int | None
) -> dict[str, int | None]:
    """Publish each of these, and return its new number by its key; as ``publish_recommendation``."""
    return {source.key: publish_recommendation(source, at=at, by=by) for source in sources}


def publish_recommendation(source: RecommendationSource, *, at: datetime, by: int | None) -> int | None:
    """Write the next version and return its number; None if the current version has the same bytes."""
    recorded_at = stamp()  # before the current version is read
    newest = _select_versions(source.key).where(_IS_NEWEST)
    current: RecommendationVersion | None = db.session.scalar(newest)
    digest = sha256_of(source.content)
    if current is not None and current.digest == digest:
        return None
    version = RecommendationVersion(
        recorded_at=recorded_at,
        recommendation_id=current.recommendation_id if current else _add_recommendation(source, recorded_at),
        number=current.number + 1 if current else 1,
        digest=digest,
        content=source.content,
        title=source.title,
        source=source.source,
        addressee=source.addressee,
        wording=source.wording,
        deadline_on=source.deadline_on,
        place=source.place,
        published_at=at,
        published_by_id=by,
    )
    db.session.add(version)
    log(
        "recommendation.published",
        actor_id=by,
        recommendation=source.key,
        number=version.number,
        digest=digest,
    )
    db.session.flush()
    return version.number


def _add_recommendation(source: RecommendationSource, recorded_at: datetime) -> int:
    recommendation = Recommendation(recorded_at=recorded_at, key=source.key)
    db.session.add(recommendation)
    db.session.flush()
    return recommendation.id
