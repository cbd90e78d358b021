"""Writes, reads and erases the free texts that belong to facts.

A fact is never changed; its texts are kept beside it so that a person's words can be erased.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy import text as sql

from portal.domain.people.models import FactNote
from portal.platform.audit.services import log
from portal.platform.db import db, read

_SELECT_NOTES = (
    select(FactNote.fact_id, FactNote.kind, FactNote.text)
    .where(
        FactNote.fact_table == bindparam("fact_table"),
        FactNote.fact_id.in_(bindparam("fact_ids", expanding=True)),
    )
    .order_by(FactNote.id)
)


def write_notes(fact_table: str, fact_id: int, texts: Mapping[str, str]) -> None:
    """Write the texts of a new fact, by kind of text; in the transaction that writes the fact."""
    write_many_notes(fact_table, {fact_id: texts})


def write_many_notes(fact_table: str, texts: Mapping[int, Mapping[str, str]]) -> None:
    """Write the texts of many facts of one table, by fact and kind of text. One statement."""
    rows = [
        {"fact_table": fact_table, "fact_id": fact_id, "kind": kind, "text": text}
        for fact_id, texts_of_fact in texts.items()
        for kind, text in texts_of_fact.items()
    ]
    if rows:
        db.session.execute(insert(FactNote), rows)


def notes_of(fact_table: str, fact_ids: Collection[int]) -> dict[int, dict[str, str]]:
    """The texts of these facts, by fact and kind of text. One statement."""
    texts: dict[int, dict[str, str]] = {}
    rows = read(_SELECT_NOTES, {"fact_table": fact_table, "fact_ids": list(fact_ids)})
    for fact_id, kind, text in rows:
        texts.setdefault(fact_id, {})[kind] = text
    return texts


def erase_notes(fact_table: str, fact_ids: Collection[int], *, actor_id: int | None, subject_id: int) -> None:
    """Erase every text of these facts; the audit trail records that it was done, never the texts."""
    erased = notes_of(fact_table, fact_ids)
    if db.engine.dialect.name == "sqlite":  # otherwise the words stay in the file until overwritten
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
