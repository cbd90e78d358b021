"""Plans of the force, as their authors write, send and publish them."""

from datetime import date, timedelta
from typing import Any

from portal.features.force_plan.services import (
    begin_plan,
    plan_template,
    publish_plan,
    save_section,
    send_plan,
)
from portal.platform import clock
from portal.platform.db import transaction


def answer_all(**answers: str) -> dict[str, str]:
    """An answer to every question of the template, and these."""
    usual = {each.key: f"{each.label}: as team W says" for each in plan_template().questions}
    return usual | {"in_one_line": "ask who waits, where and in what"} | answers


def write_plan(by: int, **answers: str) -> int:
    """The next version, begun and answered, not sent. Returns the proposal's id."""
    given = answer_all(**answers)
    with transaction():
        proposal_id = begin_plan(by=by, at=clock.now())
        for section in plan_template().sections:
            save_section(proposal_id, section.key, given, by=by, at=clock.now())
    return proposal_id


def propose_plan(by: int, *, review_on: date | None = None, **answers: str) -> int:
    """The next version, sent to a second person. Returns the proposal's id."""
    proposal_id = write_plan(by, **answers)
    with transaction():
        day = review_on or clock.today() + timedelta(days=365)
        send_plan(proposal_id, note="After the meeting", review_on=day, by=by, at=clock.now())
    return proposal_id


def publish_next_plan(by: int, reader: int, **columns: Any) -> int:
    """The next version, published by a second person. Returns its number."""
    proposal_id = propose_plan(by, **columns)
    with transaction():
        return publish_plan(proposal_id, by=reader, at=clock.now())
