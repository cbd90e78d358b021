"""Checking and publishing of folders of exercises as immutable versions, all or nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import select

from portal.domain.catalogue import queries as catalogue
from portal.domain.catalogue.markdown.render_context import Address
from portal.domain.catalogue.sources.folder_reader import read_shared
from portal.domain.catalogue.sources.shared_files import SharedContent, parse_shared
from portal.domain.catalogue.sources.validation import sha256_of
from portal.domain.exercises.models import Exercise, ExerciseFile, ExerciseVersion
from portal.domain.exercises.sources.checking import CheckedExercise, check_exercise, exercise_media_address
from portal.domain.exercises.sources.exercise_folder import (
    EXERCISE_FILE,
    exercise_folders,
    is_exercise,
    read_exercise,
)
from portal.domain.exercises.versions.queries import newest_version
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import BadInputError
from portal.platform.formats.faults import Faults

MODULES_BESIDE = "modules"  # the folder whose shared files count where none are published


@dataclass(frozen=True)
class CheckedExercises:
    """The result of checking a folder of one exercise, or of all."""

    exercises: list[CheckedExercise]
    faults: Faults


@dataclass(frozen=True)
class PublishedExercises:
    """The result of publishing."""

    versions: list[tuple[str, int]] = field(default_factory=list)  # key and number of new ones
    unchanged: list[str] = field(default_factory=list)  # keys of those whose bytes are published already


def check_exercise_folder(folder: Path) -> CheckedExercises:
    """Read and check one exercise's folder, or the folder of all. Nothing is written.

    Texts are checked against the published sources, terms and force settings; one that is not published is
    read from the folder ``modules`` beside the folder of exercises.

    Raises:
        BadInputError: There is no such folder.
    """
    folder = folder.resolve()
    if not folder.is_dir():
        raise BadInputError([f"The folder {folder.name} does not exist."])
    faults = Faults()
    is_one = is_exercise(folder)
    folders = [folder] if is_one else exercise_folders(folder, faults)
    shared = _read_shared(folder.parent.parent if is_one else folder.parent, faults)
    if not folders:
        reason = f"There is no exercise in this folder. An exercise's folder contains {EXERCISE_FILE}."
        faults.add(folder.name, None, reason)
    checked = [check_exercise(path.name, read_exercise(path, faults), shared, faults) for path in folders]
    return CheckedExercises([exercise for exercise in checked if exercise is not None], faults)


def check_exercise_files(
    key: str, files: dict[str, bytes], *, address: Address = exercise_media_address
) -> CheckedExercises:
    """Check the files of one exercise against the published sources, terms and force settings.

    Args:
        key: The exercise's key, which is its folder's name.
        files: Every file of the folder by path.
        address: Returns a media file's address from its hash and path.
    """
    faults = Faults()
    checked = check_exercise(key, files, catalogue.shared_content(), faults, address)
    return CheckedExercises([checked] if checked else [], faults)


def publish_exercise_folder(folder: Path, *, at: datetime, by: int | None = None) -> PublishedExercises:
    """Publish one exercise's folder, or the folder of all exercises.

    Repeat-safe: whatever has the same bytes as its current version is not published again. Rows of older
    versions never change, and a run that has begun goes on with its own.

    Args:
        folder: The folder.
        at: Now, stored as the time of publishing.
        by: The person who publishes; None for a command.

    Raises:
        BadInputError: There are faults; the error lists all of them. Nothing is written.
    """
    reading = check_exercise_folder(folder)
    reading.faults.refuse()
    stamp()  # before the current versions are read
    result = PublishedExercises()
    for checked in reading.exercises:
        number = _write_version(checked, at, by)
        if number is None:
            result.unchanged.append(checked.text.key)
        else:
            result.versions.append((checked.text.key, number))
    return result


def publish_exercise_files(key: str, files: dict[str, bytes], *, at: datetime, by: int) -> int | None:
    """Publish one exercise's files as its next version; None if the current version has the same bytes.

    Raises:
        BadInputError: There are faults; the error lists all of them. Nothing is written.
    """
    reading = check_exercise_files(key, files)
    reading.faults.refuse()
    stamp()
    return _write_version(reading.exercises[0], at, by)


def _read_shared(root: Path, faults: Faults) -> SharedContent:
    beside = root / MODULES_BESIDE
    files = read_shared(beside, faults) if beside.is_dir() else {}
    if catalogue.is_set_up():
        files |= catalogue.shared_files()
    return parse_shared(files, faults)


def _write_version(checked: CheckedExercise, at: datetime, by: int | None) -> int | None:
    text = checked.text
    current = newest_version(text.key)
    if current is not None and current.digest == checked.digest:
        return None
    version = ExerciseVersion(
        recorded_at=stamp(),
        exercise_id=current.exercise_id if current else _add_exercise(text.key),
        number=current.number + 1 if current else 1,
        digest=checked.digest,
        title=text.title,
        summary=text.summary,
        owner=text.owner,
        review_on=text.review_on,
        minutes=text.minutes,
        content=cast(dict[str, Any], checked.content),
        published_by_id=by,
        published_at=at,
    )
    db.session.add(version)
    db.session.flush()
    for path, content in text.files.items():
        row = ExerciseFile(
            exercise_version_id=version.id, path=path, content=content, sha256=sha256_of(content)
        )
        db.session.add(row)
    log("exercise.published", actor_id=by, exercise=text.key, number=version.number, digest=checked.digest)
    db.session.flush()
    return version.number


def _add_exercise(key: str) -> int:
    exercise_id = db.session.scalar(select(Exercise.id).where(Exercise.key == key))
    if exercise_id is not None:
        return exercise_id
    exercise = Exercise(recorded_at=stamp(), key=key)
    db.session.add(exercise)
    db.session.flush()
    return exercise.id
