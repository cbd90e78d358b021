"""Anonymous statements of the plenary: written, grouped and ranked so that nobody can tell by whom or when.

Nothing here takes a stamp or writes an audit event for what the room does: either would keep the time. The
writers' lock alone orders them. Every change takes all rows of the run out and puts them in again in a
random order, in one transaction: on PostgreSQL all get the same transaction and a random place, on SQLite
their places in the page say nothing, and what was deleted is overwritten.
"""

from collections.abc import Collection
from dataclasses import dataclass
from random import SystemRandom
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import Table, delete, insert, select

from portal.domain.exercises.models import PlenaryStatement, PlenaryVoter
from portal.domain.exercises.running.queries import RunView
from portal.platform.audit.services import log
from portal.platform.db import db, stamp, take_writers_lock
from portal.platform.errors import ConflictError, ForbiddenError, RuleError

LONGEST = 300  # characters
MOST = 400  # of a prompt: more than a room can read
LONGEST_THEME = 60
CHOICES = 3  # statements that one person may choose
COUNT_STEP = 5  # while they are written, their number is shown in such steps

_random = SystemRandom()
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the room reads it."""

    key: UUID
    text: str
    theme: str
    hidden: bool
    points: int


def list_statements(run_id: int, prompt_key: str) -> list[Statement]:
    """The statements of a prompt: by theme, those with most points first, then by their words."""
    rows = db.session.execute(
        select(
            PlenaryStatement.key,
            PlenaryStatement.text,
            PlenaryStatement.theme,
            PlenaryStatement.hidden,
            PlenaryStatement.points,
        ).where(PlenaryStatement.run_id == run_id, PlenaryStatement.prompt_key == prompt_key)
    )
    statements = [Statement(*row) for row in rows]
    return sorted(statements, key=lambda row: (not row.theme, row.theme.casefold(), -row.points, row.text))


def count_in_fives(run_id: int, prompt_key: str) -> int:
    """Count the statements of a prompt, rounded down to fives, so that nobody sees when one is added."""
    return len(list_statements(run_id, prompt_key)) // COUNT_STEP * COUNT_STEP


def add_statement(run_id: int, prompt_key: str, text: str) -> None:
    """Add a statement; the same words again are the same statement, so sent twice is once.

    Raises:
        RuleError: It is empty, too long, or one too many.
    """
    clean_text = " ".join(text.split())
    if not clean_text:
        raise RuleError("Write a statement.")
    if len(clean_text) > LONGEST:
        raise RuleError(f"This has {len(clean_text):,} characters. Shorten it to {LONGEST} or fewer.")
    rows, voters = _remove_rows(run_id)
    of_prompt = [row for row in rows if row["prompt_key"] == prompt_key]
    if len(of_prompt) >= MOST:
        raise RuleError("This question has enough statements for the room to read. Talk about them now.")
    if all(row["text"].casefold() != clean_text.casefold() for row in of_prompt):
        rows.append(
            {
                "key": uuid4(),
                "run_id": run_id,
                "prompt_key": prompt_key,
                "text": clean_text,
                "theme": "",
                "hidden": False,
                "points": 0,
            }
        )
    _insert_rows(rows, voters)


def rank_statements(run_id: int, prompt_key: str, keys: Collection[UUID], person_id: int) -> None:
    """Give one point to each of the statements that a person chose; who has ranked already, changes nothing.

    Raises:
        RuleError: None was chosen, or too many.
        ConflictError: One of them is no longer shown.
    """
    chosen_keys = set(keys)
    if not 1 <= len(chosen_keys) <= CHOICES:
        raise RuleError(f"Choose one, two or three statements. You chose {len(chosen_keys)}.")
    rows, voters = _remove_rows(run_id)
    mark = {"run_id": run_id, "prompt_key": prompt_key, "person_id": person_id}
    shown_keys = {row["key"] for row in rows if row["prompt_key"] == prompt_key and not row["hidden"]}
    if not chosen_keys <= shown_keys:
        raise ConflictError("One of these statements is no longer shown. Choose again.")
    if mark not in voters:
        voters.append(mark)
        for row in rows:
            row["points"] += row["key"] in chosen_keys
    _insert_rows(rows, voters)


def group_statements(run: RunView, prompt_key: str, keys: Collection[UUID], theme: str) -> None:
    """Put statements into a group; an empty theme takes them out of any.

    Args:
        run: As whoever leads it meets it.
        prompt_key: The prompt.
        keys: The statements; keys that the prompt does not have are passed over.
        theme: The group's name.

    Raises:
        ForbiddenError: The person does not lead the run.
    """
    _change_statements(run, prompt_key, keys, theme=" ".join(theme.split())[:LONGEST_THEME])
    if not run.is_rehearsal:
        log("plenary.grouped", actor_id=run.person_id, run=run.reference, prompt=prompt_key)


def hide_statements(run: RunView, prompt_key: str, keys: Collection[UUID], *, hidden: bool) -> None:
    """Take statements off the wall and out of files, or put them back; as ``group_statements``."""
    _change_statements(run, prompt_key, keys, hidden=hidden)
    if run.is_rehearsal:
        return
    if hidden:
        log("plenary.hidden", actor_id=run.person_id, run=run.reference, prompt=prompt_key)
    else:
        log("plenary.shown", actor_id=run.person_id, run=run.reference, prompt=prompt_key)


def forget_voters(run_id: int, prompt_key: str) -> None:
    """Forget who ranked the statements of a prompt."""
    _overwrite_deleted()
    db.session.execute(
        delete(PlenaryVoter).where(PlenaryVoter.run_id == run_id, PlenaryVoter.prompt_key == prompt_key)
    )


def shuffle_statements(run_id: int) -> None:
    """Write all statements of a run, and who ranked them, again in a random order."""
    _insert_rows(*_remove_rows(run_id))


def _change_statements(run: RunView, prompt_key: str, keys: Collection[UUID], **values: Any) -> None:
    if not run.may_control:
        raise ForbiddenError("Only the person who leads the exercise groups its statements.")
    stamp()
    rows, voters = _remove_rows(run.id)
    for row in rows:
        if row["prompt_key"] == prompt_key and row["key"] in keys:
            row.update(values)
    _insert_rows(rows, voters)


def _remove_rows(run_id: int) -> tuple[Rows, Rows]:
    """Delete and return the statements of a run and the marks of who ranked, for ``_insert_rows``."""
    take_writers_lock()
    _overwrite_deleted()
    removed: list[Rows] = []
    for table in (PlenaryStatement, PlenaryVoter):
        columns = table.__table__.columns
        removed.append(
            [
                dict(row)
                for row in db.session.execute(select(*columns).where(table.run_id == run_id)).mappings()
            ]
        )
        db.session.execute(delete(table).where(table.run_id == run_id))
    return removed[0], removed[1]


def _insert_rows(*tables: Rows) -> None:
    for table, rows in zip((PlenaryStatement, PlenaryVoter), tables, strict=True):
        _random.shuffle(rows)
        if rows:
            db.session.execute(insert(cast(Table, table.__table__)), rows)


def _overwrite_deleted() -> None:
    """Have SQLite overwrite what is deleted: its pages keep it otherwise."""
    if db.engine.dialect.name == "sqlite":
        db.session.connection().exec_driver_sql("PRAGMA secure_delete = ON")
