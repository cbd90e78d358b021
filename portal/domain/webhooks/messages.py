"""Renders the message of an event. The person's staff number is put in when it is sent."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from portal.domain.people.models import PersonName
from portal.platform import clock
from portal.platform.db import db


def render_message(
    kind: str, happened_at: datetime, person_id: int | None, staff_number: str | None, data: Mapping[str, Any]
) -> bytes:
    """The message of an event, in JSON.

    Args:
        kind: Its type.
        happened_at: When it happened.
        person_id: Whom it is about.
        staff_number: Of that person; None where they were erased.
        data: The rest.
    """
    subject = {"staff_number": staff_number} if person_id is not None else {}
    message = {"type": kind, "timestamp": clock.format_utc(happened_at), "data": {**subject, **data}}
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode()


def find_staff_numbers(people: Collection[int]) -> dict[int, str]:
    """The staff numbers of these people as they are now; those who were erased have none."""
    statement = select(PersonName.person_id, PersonName.staff_number)
    rows = db.session.execute(statement.where(PersonName.person_id.in_(sorted(people))))
    return {person_id: number for person_id, number in rows}
