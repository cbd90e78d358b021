"""Checking and publishing of folders of exercises as immutable versions, all or nothing."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, cast

from sqlalchemy import ColumnElement, func, select

from portal.domain.catalogue import version_cache
from portal.domain.catalogue.markdown import Address
from portal.domain.catalogue.module_check import is_same_content, sha256_of
from portal.domain.catalogue.source_files import SharedContent, parse_shared, read_shared
from portal.domain.people.models import PersonName
from portal.domain.people.queries import ProposalLine, select_proposals
from portal.features.exercises.checks import CheckedExercise, check_exercise, exercise_media_address
from portal.features.exercises.models import Exercise, ExerciseFile, ExerciseProposal, ExerciseVersion
from portal.features.exercises.sources import (
    EXERCISE_FILE,
    exercise_folders,
    is_exercise,
    open_exercise,
    read_exercise,
)
from portal.platform.audit import log
from portal.platform.db import db, is_newest_version, stamp
from portal.platform.errors import BadInputError, ConflictError, NotFoundError, RuleError
from portal.platform.formats.toml_tables import Faults
from portal.platform.proposals import (
    count_waiting,
    end_proposal,
    lock_proposal,
    refuse_publishing,
    refuse_sending_back,
    refuse_withdrawing,
)

# Queries of published exercises: the newest versions, one version, its files and its media.

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
    return _read_version_lines(_IS_NEWEST)


def list_versions(key: str) -> list[VersionLine]:
    """Every version of the exercise ``key``, newest first. One statement."""
    lines = _read_version_lines(Exercise.key == key)
    return sorted(lines, key=lambda line: -line.number)


def _read_version_lines(condition: ColumnElement[bool]) -> list[VersionLine]:
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
    """Version ``number`` of the exercise ``key``."""
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
    """The content of a published exercise's media file with this hash and name."""
    content: bytes | None = db.session.scalar(
        select(ExerciseFile.content)
        .where(ExerciseFile.sha256 == sha256, ExerciseFile.path == f"media/{name}")
        .limit(1)
    )
    if content is None:
        raise NotFoundError("There is no such file.")
    return content


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
    checked = check_exercise(key, files, version_cache.shared_content(), faults, address)
    return CheckedExercises([checked] if checked else [], faults)


def publish_exercise_folder(folder: Path, *, at: datetime, by: int | None = None) -> PublishedExercises:
    """Publish one exercise's folder, or the folder of all exercises.

    Repeat-safe: whatever says the same as its current version is not published again. Rows of older
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


def publish_release_folder(folder: Path, at: datetime, by: int) -> dict[str, int | None]:
    """Publish a release’s folder; return the version’s number by key, None where nothing is new."""
    done = publish_exercise_folder(folder, at=at, by=by)
    return {**dict(done.versions), **dict.fromkeys(done.unchanged)}


def publish_exercise_files(key: str, files: dict[str, bytes], *, at: datetime, by: int) -> int | None:
    """Publish one exercise's files as its next version; None if the current version says the same.

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
    if version_cache.is_set_up():
        files |= version_cache.shared_files()
    return parse_shared(files, faults)


def _write_version(checked: CheckedExercise, at: datetime, by: int | None) -> int | None:
    text = checked.text
    current = newest_version(text.key)
    if current is not None and is_same_content(version_files(current.id), text.files):
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


# Proposals of exercises: one person sends a folder, and a second publishes it or sends it back.


@dataclass(frozen=True, slots=True)
class ProposedExercise(ProposalLine):
    """A proposal as lists and its own page show it."""

    key: str


def list_open_proposals() -> list[ProposedExercise]:
    """The proposals that wait for a second person, oldest first. One statement."""
    return _read_lines(ExerciseProposal.ended_at.is_(None))


def count_exercises_for(person_id: int) -> int:
    """How many open proposals a person can publish: those that others sent. One statement."""
    return count_waiting(ExerciseProposal, person_id)


def get_proposal(proposal_id: int) -> ProposedExercise:
    """The proposal with this id, open or ended."""
    lines = _read_lines(ExerciseProposal.id == proposal_id)
    if not lines:
        raise NotFoundError("There is no such proposal.")
    return lines[0]


def proposal_archive(proposal_id: int) -> bytes:
    """The ZIP of a proposal, as it was sent."""
    get_proposal(proposal_id)
    return db.session.scalars(
        select(ExerciseProposal.archive).where(ExerciseProposal.id == proposal_id)
    ).one()


def propose_exercise(archive: bytes, *, note: str, by: int, at: datetime) -> int:
    """Send the folder in a ZIP for the next version of its exercise. Returns the proposal's id.

    Args:
        archive: The ZIP.
        note: What is new and why, in the author's words.
        by: The author.
        at: Now.

    Raises:
        BadInputError: The ZIP is refused, or the exercise has faults; the error lists all of them.
    """
    key, files = open_exercise(archive)
    reading = check_exercise_files(key, files)
    reading.faults.refuse()
    stamp()
    current = newest_version(key)
    if current is not None and is_same_content(version_files(current.id), reading.exercises[0].text.files):
        raise RuleError(f"This is version {current.number} as it is published. There is nothing to propose.")
    open_proposal_id = db.session.scalar(
        select(ExerciseProposal.id).where(ExerciseProposal.key == key, ExerciseProposal.ended_at.is_(None))
    )
    if open_proposal_id is not None:
        raise ConflictError(
            f"A proposal of “{key}” waits already. It must be published, sent back or withdrawn first."
        )
    proposal = ExerciseProposal(
        key=key, archive=archive, note=note, proposed_by_id=by, proposed_at=at, reason=""
    )
    db.session.add(proposal)
    db.session.flush()
    log("exercise.proposed", actor_id=by, exercise=key, proposal=proposal.id)
    return proposal.id


def publish_proposal(proposal_id: int, *, by: int, at: datetime) -> tuple[str, int]:
    """Publish exactly what was proposed. Returns the exercise's key and the new version's number.

    Raises:
        ConflictError: The proposal has ended, or a version was published after it was sent.
        BadInputError: It has faults by now, such as a source that is no longer there.
    """
    proposal = lock_proposal(ExerciseProposal, proposal_id)
    current = newest_version(proposal.key)
    refuse_publishing(proposal, by, current)
    key, files = open_exercise(proposal.archive)
    number = publish_exercise_files(key, files, at=at, by=by)
    if number is None:
        raise RuleError("This is published already. Send it back.")
    end_proposal(proposal, "published", by=by, at=at)
    return key, number


def send_proposal_back(proposal_id: int, *, reason: str, by: int, at: datetime) -> None:
    """End a proposal without publishing, with a reason for its author.

    Raises:
        ConflictError: The proposal has ended.
        RuleError: The publisher sent it: its author withdraws it instead.
    """
    proposal = lock_proposal(ExerciseProposal, proposal_id)
    refuse_sending_back(proposal, by)
    proposal.reason = reason
    end_proposal(proposal, "sent_back", by=by, at=at)
    log("exercise.sent_back", actor_id=by, exercise=proposal.key, proposal=proposal.id)


def withdraw_proposal(proposal_id: int, *, by: int, at: datetime) -> None:
    """End one's own proposal.

    Raises:
        ConflictError: The proposal has ended.
        RuleError: Somebody else sent it.
    """
    proposal = lock_proposal(ExerciseProposal, proposal_id)
    refuse_withdrawing(proposal, by)
    end_proposal(proposal, "withdrawn", by=by, at=at)
    log("exercise.withdrawn", actor_id=by, exercise=proposal.key, proposal=proposal.id)


def _read_lines(condition: ColumnElement[bool]) -> list[ProposedExercise]:
    statement = select_proposals(ExerciseProposal, ExerciseProposal.key).where(condition)
    rows = db.session.execute(statement.order_by(ExerciseProposal.id))
    return [ProposedExercise(*row) for row in rows]
