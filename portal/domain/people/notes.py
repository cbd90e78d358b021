"""Texts that belong to a fact: the one place that writes, reads and changes them.

A fact is never changed; its texts are, so that a person's words can be corrected or erased.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import delete, insert, select
from sqlalchemy import text as sql

from portal.domain.people.models import FactNote
from portal.platform.audit.services import log
from portal.platform.db import db


def write_notes(fact_table: str, fact_id: int, texts: Mapping[str, str]) -> None:
    """Put texts beside a new fact, by what each is; part of the act that writes the fact."""
    write_many_notes(fact_table, {fact_id: texts})


def write_many_notes(fact_table: str, texts: Mapping[int, Mapping[str, str]]) -> None:
    """As ``write_notes``, of many facts of one table. One statement."""
    rows = [
        {"fact_table": fact_table, "fact_id": fact_id, "kind": kind, "text": text}
        for fact_id, of_fact in texts.items()
        for kind, text in of_fact.items()
    ]
    if rows:
        db.session.execute(insert(FactNote), rows)


def notes_of(fact_table: str, fact_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The texts of these facts, by fact and by what each is. One statement."""
    found: dict[int, dict[str, str]] = {}
    rows = db.session.execute(
        select(FactNote.fact_id, FactNote.kind, FactNote.text)
        .where(FactNote.fact_table == fact_table, FactNote.fact_id.in_(fact_ids))
        .order_by(FactNote.id)
    )
    for fact_id, kind, text in rows:
        found.setdefault(fact_id, {})[kind] = text
    return found


def erase_notes(fact_table: str, fact_ids: Collection[int], *, actor_id: int | None, subject_id: int) -> None:
    """Erase every text of these facts and say in the audit trail that it was done, never what they said."""
    erased = notes_of(fact_table, fact_ids)
    if (
        db.engine.dialect.name == "sqlite"
    ):  # else the words would stand on in the file until it is written over
        db.session.execute(sql("PRAGMA secure_delete = ON"))
    db.session.execute(
        delete(FactNote).where(FactNote.fact_table == fact_table, FactNote.fact_id.in_(fact_ids))
    )
    log(
        "notes.erased",
        actor_id=actor_id,
        subject_id=subject_id,
        fact_table=fact_table,
        facts=sorted(erased),
    )
