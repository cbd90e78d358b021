"""Queries of published exercises: the newest versions, one version, its files and its media."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, select

from portal.domain.exercises.models import Exercise, ExerciseFile, ExerciseVersion
from portal.domain.people.models import PersonName
from portal.platform.db import db, is_newest_version
from portal.platform.errors import NotFoundError

MOST_VERSIONS = 1_000_000  # a larger number in an address names none

_IS_NEWEST = is_newest_version(ExerciseVersion.exercise_id)


@dataclass(frozen=True, slots=True)
class VersionLine:
    """A published version as lists show it."""

    key: str
    number: int
    title: str
    summary: str
    minutes: int
    owner: str
    published_at: datetime
    published_by: str  # "" for a command


def list_newest_versions() -> list[VersionLine]:
    """The newest version of each exercise, by title. One statement."""
    return _read_lines(_IS_NEWEST)


def list_versions(key: str) -> list[VersionLine]:
    """Every version of the exercise ``key``, newest first. One statement."""
    lines = _read_lines(Exercise.key == key)
    return sorted(lines, key=lambda line: -line.number)


def _read_lines(condition: ColumnElement[bool]) -> list[VersionLine]:
    rows = db.session.execute(
        select(
            Exercise.key,
            ExerciseVersion.number,
            ExerciseVersion.title,
            ExerciseVersion.summary,
            ExerciseVersion.minutes,
            ExerciseVersion.owner,
            ExerciseVersion.published_at,
            func.coalesce(PersonName.full_name, ""),
        )
        .join(Exercise, Exercise.id == ExerciseVersion.exercise_id)
        .outerjoin(PersonName, PersonName.person_id == ExerciseVersion.published_by_id)
        .where(condition)
        .order_by(ExerciseVersion.title, ExerciseVersion.id)
    )
    return [VersionLine(*row) for row in rows]


def newest_version(key: str) -> ExerciseVersion | None:
    """The newest version of the exercise ``key``; None if there is none."""
    return db.session.scalar(
        select(ExerciseVersion)
        .join(Exercise, Exercise.id == ExerciseVersion.exercise_id)
        .where(Exercise.key == key)
        .order_by(ExerciseVersion.number.desc())
        .limit(1)
    )


def numbered_version(key: str, number: int) -> ExerciseVersion:
    """Version ``number`` of the exercise ``key``.

    Raises:
        NotFoundError: There is no such version.
    """
    version = None
    if number <= MOST_VERSIONS:
        version = db.session.scalar(
            select(ExerciseVersion)
            .join(Exercise, Exercise.id == ExerciseVersion.exercise_id)
            .where(Exercise.key == key, ExerciseVersion.number == number)
        )
    if version is None:
        raise NotFoundError(f"The exercise “{key}” has no version {number}.")
    return version


def version_files(version_id: int) -> dict[str, bytes]:
    """Every file of a published folder by its path, byte for byte."""
    rows = db.session.execute(
        select(ExerciseFile.path, ExerciseFile.content)
        .where(ExerciseFile.exercise_version_id == version_id)
        .order_by(ExerciseFile.path)
    )
    return {path: content for path, content in rows}


def exercise_medium(sha256: str, name: str) -> bytes:
    """The content of a published exercise's media file with this hash and name.

    Raises:
        NotFoundError: No such file is published under this name.
    """
    content: bytes | None = db.session.scalar(
        select(ExerciseFile.content)
        .where(ExerciseFile.sha256 == sha256, ExerciseFile.path == f"media/{name}")
        .limit(1)
    )
    if content is None:
        raise NotFoundError("There is no such file.")
    return content
