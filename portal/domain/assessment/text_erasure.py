"""Erasing what a learner wrote: reasons in scenarios, texts of reports. No answer, mark or pass changes."""

from dataclasses import dataclass

from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Response
from portal.domain.people.notes import erase_notes, notes_of
from portal.domain.records.models import Registration
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class WrittenTextCount:
    """How much a person wrote."""

    texts: int
    answers: int  # savings of an answer that hold one or more; a text that was saved twice stands in two


def count_written_texts(person_id: int) -> WrittenTextCount:
    """The texts beside every answer of the person, those of attempts under way and replaced ones included."""
    held = notes_of(Response.__tablename__, _response_ids(person_id)).values()
    return WrittenTextCount(sum(len(texts) for texts in held), len(held))


def erase_texts(person_id: int, *, by: int | None) -> WrittenTextCount:
    """Erase them, audited without what they said; says how many there were. Twice is the same as once."""
    found = count_written_texts(person_id)
    if found.texts:
        erase_notes(Response.__tablename__, _response_ids(person_id), actor_id=by, subject_id=person_id)
    return found


def _response_ids(person_id: int) -> list[int]:
    statement = (
        select(Response.id)
        .join(Attempt, Attempt.id == Response.attempt_id)
        .join(Registration, Registration.id == Attempt.registration_id)
        .where(Registration.person_id == person_id)
    )
    return list(db.session.scalars(statement))
