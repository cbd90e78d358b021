"""Erasure of texts that learners typed in scenarios and reports. No answer, mark or pass changes."""

from dataclasses import dataclass

from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Response
from portal.domain.people.notes import erase_notes, notes_of
from portal.domain.records.models import Registration
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class WrittenTextCount:
    """The number of texts that a person typed."""

    texts: int
    answers: int  # saved answers with at least one text; a text that was saved twice counts twice


def count_written_texts(person_id: int) -> WrittenTextCount:
    """Count the texts of every answer of the person, in open attempts and replaced answers too."""
    notes = notes_of(Response.__tablename__, _response_ids(person_id)).values()
    return WrittenTextCount(sum(len(texts) for texts in notes), len(notes))


def erase_texts(person_id: int, *, by: int | None) -> WrittenTextCount:
    """Erase the person's texts, audit it without them, and return their number. Repeat-safe."""
    count = count_written_texts(person_id)
    if count.texts:
        erase_notes(Response.__tablename__, _response_ids(person_id), actor_id=by, subject_id=person_id)
    return count


def _response_ids(person_id: int) -> list[int]:
    statement = (
        select(Response.id)
        .join(Attempt, Attempt.id == Response.attempt_id)
        .join(Registration, Registration.id == Attempt.registration_id)
        .where(Registration.person_id == person_id)
    )
    return list(db.session.scalars(statement))
