"""Erasure of texts that learners typed in cases, scenarios and reports. No answer, mark or pass changes."""

from dataclasses import dataclass

from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Response
from portal.domain.cases.copies import copy_ids_of, rubric_ids_of
from portal.domain.cases.models import CaseCopy, CaseRubric, CaseStep
from portal.domain.cases.queries import step_ids_of
from portal.domain.people.notes import erase_notes, notes_of
from portal.domain.records.models import Registration
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class WrittenTextCount:
    """The number of texts that a person typed."""

    texts: int
    answers: int  # saved answers with at least one text; a text that was saved twice counts twice


def count_written_texts(person_id: int) -> WrittenTextCount:
    """Count the texts of every answer of the person, in open attempts, runs and replaced answers too."""
    by_table = _texts_by_table(person_id)
    del by_table[CaseRubric.__tablename__]  # ticks are erased with the texts, and are none
    notes = [texts for of_table in by_table.values() for texts in of_table.values()]
    return WrittenTextCount(sum(map(len, notes)), len(notes))


def erase_texts(person_id: int, *, by: int | None) -> WrittenTextCount:
    """Erase the person's texts, audit it without them, and return their number. Repeat-safe."""
    count = count_written_texts(person_id)
    for table, texts in _texts_by_table(person_id).items():
        if texts:
            erase_notes(table, list(texts), actor_id=by, subject_id=person_id)
    return count


def _texts_by_table(person_id: int) -> dict[str, dict[int, dict[str, str]]]:
    """The person's texts by table of facts, fact and kind of text."""
    fact_ids = {
        Response.__tablename__: _response_ids(person_id),
        CaseStep.__tablename__: step_ids_of(person_id),
        CaseCopy.__tablename__: copy_ids_of(person_id),
        CaseRubric.__tablename__: rubric_ids_of(person_id),
    }
    return {table: notes_of(table, ids) for table, ids in fact_ids.items()}


def _response_ids(person_id: int) -> list[int]:
    statement = (
        select(Response.id)
        .join(Attempt, Attempt.id == Response.attempt_id)
        .join(Registration, Registration.id == Attempt.registration_id)
        .where(Registration.person_id == person_id)
    )
    return list(db.session.scalars(statement))
