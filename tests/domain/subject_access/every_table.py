"""A row in every table of the portal that concerns one person: what an export must not forget."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Integer,
    LargeBinary,
    Numeric,
    Table,
    Uuid,
    insert,
)

from config import current_settings
from portal.domain.accounts.tokens import account_key
from portal.domain.subject_access.register.work import personal_tables
from portal.platform.audit import pack_people
from portal.platform.db import Base, UtcDateTime, db

LATER = {"received_assertion", "fact_note"}  # name other rows without a foreign key
FIRST = datetime(2021, 1, 1, 9, tzinfo=UTC)
SPECIAL: dict[str, Any] = {  # what a constraint or a reader of the value asks for
    "decision_request.kind": "exemption",
    "decision.outcome": "granted",
    "job.state": "done",
    "status_period.status": 3,
    "status_period.known_from": 1_600_000_000_000_000,
    "status_period.known_to": 1_700_000_000_000_000,
    "response.choices": ["choice-a"],
    "case_step.choices": ["choice-b"],
    "clarity_answer.place": "lesson:first",
    "audit_event.action": "pass.recorded",
    "message.kind": "notice",
    "scim_group.role": "manager",
    "activity.kind": "module",
    "role_grant.role": "manager",
    "kept_row.scheme": "staff_number",
    "kept_row.identifier": "Q1001",
    "kept_row.ended_at": None,
    "kept_row.ended_as": None,
    "legal_hold.unit_id": None,
    "legal_hold.class_key": None,
    "report_schedule.weekday": 0,
    "risk_assessment.likelihood": 3,
    "risk_assessment.impact": 4,
    "dip_sample.reported": 9,
    "dip_sample.submitted": 8,
    "dip_sample.on_time": 7,
    "dip_sample.sampled": 6,
    "dip_sample.complete": 5,
    "dip_sample.graded": 4,
    "dip_sample.returned": 1,
}
FURTHER: dict[str, dict[str, Any]] = {  # of the rows that concern the person in a further way
    "kept_row": {
        "scheme": None,
        "identifier": None,
        "content": None,
        "ended_at": FIRST,
        "ended_as": "erased",
    },
}


@dataclass
class EveryTable:
    """Writes the rows; ``values`` are those of the person's row of each table."""

    me: int
    other: int
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    keys: dict[str, Any] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def write(self) -> None:
        """A row in each table, and one more for each further way in which rows concern the person."""
        self.keys |= {"person": self.me, "person_name": self.me}
        for table in sorted(Base.metadata.sorted_tables, key=lambda table: table.name in LATER):
            if table.name in {"person", "person_name", "stamp", "stamp_ahead"}:
                continue
            marks = personal_tables().get(table.name)
            mine = marks.views[0].path if marks and marks.views else ""
            self.values[table.name] = self._insert(table, mine)
            for view in marks.views[1:] if marks else ():
                if not any(_is_taken(column) for column in table.columns):
                    self._insert(table, view.path, keeps=False)

    def _insert(self, table: Table, mine: str, *, keeps: bool = True) -> dict[str, Any]:
        values = {
            column.name: self._value(table, column, mine)
            for column in table.columns
            if not (column.name == "id" and isinstance(column.type, Integer))
        }
        if not keeps:
            values |= {column.name: None for column in table.columns if column.unique and column.nullable}
            values |= FURTHER.get(table.name, {})
        result: Any = db.session.execute(insert(table).values(values))
        key = next(iter(table.primary_key.columns)).name
        if keeps:
            self.keys[table.name] = values.get(key, result.inserted_primary_key[0])
        return values

    def _value(self, table: Table, column: Column[Any], mine: str) -> Any:
        name = f"{table.name}.{column.name}"
        if name in SPECIAL:
            return SPECIAL[name]
        if (value := _first_allowed(table, column.name)) is not None:
            return value
        if column.name in {"replaces_id", "successor_id", "claim", "corrects_id", "withdraws_id"}:
            return None
        for target in column.foreign_keys:
            return self._key(target.column.table.name, is_own=column.name == mine)
        return self._computed().get(name) or _plain(name, column.type, next(self._numbers))

    def _key(self, parent: str, *, is_own: bool) -> Any:
        if parent in {"person", "person_name"}:
            return self.me if is_own else self.other
        return self.keys[parent]

    def _computed(self) -> dict[str, Any]:
        """Values that name other rows without a foreign key."""
        item, identity = self.keys.get("item", 0), self.values.get("provider_identity", {})
        return {
            "fact_note.fact_table": "response",
            "fact_note.fact_id": self.keys.get("response"),
            "attempt.drawn": [{"item_id": item, "order": []}],
            "submission.marks": {str(item): "0.5000"},
            "sign_in_failure.account_hash": account_key(self.me, "", current_settings().secret_key),
            "received_assertion.subject": identity.get("subject"),
            "status_period.person_id": self.me,
            "status_period.post_id": self.keys.get("post"),
            "status_period.unit_id": self.keys.get("unit"),
            "file_people.people": pack_people([self.me, self.other]),
        }


def _is_taken(column: Column[Any]) -> bool:
    """Whether a second row could not have the column's value, which names a row of another table."""
    is_only = column.unique or list(column.table.primary_key.columns) == [column]
    return bool(column.foreign_keys) and is_only and not column.nullable


def _first_allowed(table: Table, column: str) -> str | None:
    """The first value that a constraint allows in the column; None where none lists them."""
    checks = [str(check.sqltext) for check in table.constraints if isinstance(check, CheckConstraint)]
    allowed = (re.match(rf"{column} IN \('([^']*)'", check) for check in checks)
    return next((match[1] for match in allowed if match), None)


def _plain(name: str, kind: Any, number: int) -> Any:
    """A value of this kind that no other column has, as far as the kind allows."""
    makers: tuple[tuple[Any, Any], ...] = (
        (UtcDateTime, FIRST + timedelta(days=number)),
        (Date, FIRST.date() + timedelta(days=number)),
        (Boolean, True),
        (Integer, 735_000 + number),
        (Numeric, Decimal("0.5")),
        (Uuid, UUID(int=number)),
        (LargeBinary, f"secret {name}".encode()),
        (JSON, {"word": f"value {number}"}),
    )
    return next((value for kinds, value in makers if isinstance(kind, kinds)), f"word {number} of {name}")
