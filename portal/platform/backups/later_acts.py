"""What was done after a backup, as the database that it replaced or a file of the audit trail can say."""

import csv
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Integer, MetaData, NullPool, String, Table, create_engine, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from portal.platform.audit.models import AuditEvent
from portal.platform.errors import BadInputError

_FILE_COLUMNS = {"happened_at", "action", "what", "who_staff_number", "on_whom_staff_number"}
_names = Table("person_name", MetaData(), Column("person_id", Integer), Column("staff_number", String))


@dataclass(frozen=True, slots=True)
class LaterAct:
    """One act that a backup does not know."""

    happened_at: datetime
    action: str
    who: str = ""  # the staff number; "" where no account acted, or it is not known
    whom: str = ""
    words: str = ""  # as the file says it
    detail: dict[str, Any] = field(default_factory=dict)  # as the database says it


def read_acts_after(url: URL, after: datetime | None, actions: Collection[str]) -> list[LaterAct] | None:
    """The acts of these kinds in a database that were done after an instant, the first one first.

    Returns:
        None where the database cannot be read, or is no portal's.
    """
    act, actor, subject = AuditEvent, _names.alias(), _names.alias()
    statement = (
        select(act.happened_at, act.action, actor.c.staff_number, subject.c.staff_number, act.detail)
        .outerjoin(actor, actor.c.person_id == act.actor_id)
        .outerjoin(subject, subject.c.person_id == act.subject_id)
        .where(act.action.in_(actions), *([act.happened_at > after] if after else []))
        .order_by(act.happened_at, act.id)
    )
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            return [
                LaterAct(at, action, who or "", whom or "", detail=detail)
                for at, action, who, whom, detail in connection.execute(statement)
            ]
    except (DBAPIError, ValueError):
        return None
    finally:
        engine.dispose()


def read_acts_in_file(file: Path, actions: Collection[str]) -> list[LaterAct]:
    """The acts of these kinds in a file of the audit trail, as its page gives it.

    Raises:
        BadInputError: It is no such file.
    """
    try:
        with file.open(encoding="utf-8-sig", newline="") as text:
            rows = csv.DictReader(text)
            if not set(rows.fieldnames or ()) >= _FILE_COLUMNS:
                raise BadInputError([f"{file} is no file of the audit trail."])
            return [_read_act(row) for row in rows if row["action"] in actions]
    except (OSError, ValueError, csv.Error) as error:
        raise BadInputError([f"{file} cannot be read as a file of the audit trail."]) from error


def join_acts(after: datetime | None, *told: list[LaterAct] | None) -> list[LaterAct] | None:
    """What was done after an instant, by all who tell of it: each act once, the first one first.

    Returns:
        None where nobody tells.
    """
    if all(acts is None for acts in told):
        return None
    each = {(act.happened_at, act.action, act.whom): act for acts in told for act in acts or ()}
    return [act for key, act in sorted(each.items()) if after is None or act.happened_at > after]


def _read_act(row: dict[str, str]) -> LaterAct:
    at = datetime.fromisoformat(row["happened_at"])
    who, whom = row["who_staff_number"] or "", row["on_whom_staff_number"] or ""
    return LaterAct(at, row["action"], who, whom, row["what"] or "")
