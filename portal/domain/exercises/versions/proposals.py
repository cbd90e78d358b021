"""Proposals of exercises: one person sends a folder, and a second publishes it or sends it back."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select

from portal.domain.exercises.models import ExerciseProposal
from portal.domain.exercises.sources.archive import open_exercise
from portal.domain.exercises.versions import publishing
from portal.domain.exercises.versions.queries import newest_version
from portal.domain.people.proposals import ProposalLine, select_proposals
from portal.platform.audit.services import log
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, NotFoundError, RuleError
from portal.platform.proposals import (
    count_waiting,
    end_proposal,
    lock_proposal,
    refuse_publishing,
    refuse_sending_back,
    refuse_withdrawing,
)


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
    """The proposal with this id, open or ended.

    Raises:
        NotFoundError: There is no such proposal.
    """
    lines = _read_lines(ExerciseProposal.id == proposal_id)
    if not lines:
        raise NotFoundError("There is no such proposal.")
    return lines[0]


def proposal_archive(proposal_id: int) -> bytes:
    """The ZIP of a proposal, as it was sent.

    Raises:
        NotFoundError: There is no such proposal.
    """
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
        RuleError: These bytes are published already.
        ConflictError: Another proposal of the same exercise waits.
    """
    key, files = open_exercise(archive)
    reading = publishing.check_exercise_files(key, files)
    reading.faults.refuse()
    stamp()
    current = newest_version(key)
    if current is not None and current.digest == reading.exercises[0].digest:
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
        RuleError: The publisher sent it.
        BadInputError: It has faults by now, such as a source that is no longer there.
    """
    proposal = lock_proposal(ExerciseProposal, proposal_id)
    current = newest_version(proposal.key)
    refuse_publishing(proposal, by, current)
    key, files = open_exercise(proposal.archive)
    number = publishing.publish_exercise_files(key, files, at=at, by=by)
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
