"""docs/operating/webhooks.md gives the JSON of every event as it is sent."""

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from portal.features.webhooks.events import render_message
from portal.features.webhooks.models import EventType
from portal.features.webhooks.services import get_webhook_to_change, send_test_event
from portal.platform.db import transaction
from tests.domain.status.facts import make_activity, make_directive, make_record, make_version
from tests.factories.people import make_person, make_unit
from tests.features.webhooks.receiving import collected, make_webhook, outbox

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "operating" / "webhooks.md"


def shape(value):
    """Names in order, with the kinds of their values; text that may be null counts as text."""
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value[:1]]
    return "text" if value is None else type(value).__name__.replace("str", "text")


@pytest.mark.usefixtures("database")
def test_the_document_has_each_event_as_it_is_sent(time_machine):
    time_machine.move_to(datetime(2026, 4, 20, 12, tzinfo=UTC), tick=False)
    unit, activity, directive = make_unit("North"), make_activity(), make_directive()
    make_person(unit, staff_number="W0")
    reference, _ = make_webhook()
    time_machine.shift(timedelta(minutes=1))
    make_version(directive, {1: activity})
    make_record(make_person(unit, until=date(2026, 4, 21)), activity, date(2026, 4, 20))
    time_machine.shift(timedelta(days=3))
    with transaction():
        send_test_event(get_webhook_to_change(reference), by=None, at=datetime.now(UTC))
    collected(reference)

    sent = {}
    for row in outbox(reference):
        body = render_message(row.type, row.happened_at, row.person_id, "W1", row.data)
        sent.setdefault(row.type, json.loads(body))
    blocks = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL)
    documented = {each["type"]: each for each in map(json.loads, blocks)}

    assert sent.keys() == documented.keys() == set(EventType)
    assert {kind: shape(each) for kind, each in sent.items()} == {
        kind: shape(each) for kind, each in documented.items()
    }
    assert [list(each["data"]) for each in sent.values()] == [list(documented[kind]["data"]) for kind in sent]
