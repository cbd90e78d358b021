"""Messages reach a real receiver, are verified by the reference library, and are tried until they are."""

from datetime import date

import pytest

from portal.domain.webhooks.models import DeliveryState, EventType
from portal.domain.webhooks.sending import send_messages
from tests.domain.status.facts import make_activity, make_record
from tests.domain.webhooks.receiving import make_webhook, outbox, the_webhook, verified
from tests.factories.people import make_person, make_unit
from tests.platform.outbound.receivers import receiving

pytestmark = pytest.mark.usefixtures("database")


def test_a_pass_reaches_a_receiver_that_verifies_it():
    person, activity = make_person(make_unit("North"), staff_number="W1"), make_activity()
    with receiving() as receiver:
        reference, secret = make_webhook(receiver.address, (EventType.PASS_RECORDED,))
        make_record(person, activity, date(2026, 3, 1), reference="OIC-AAAA-BBBB-C")

        assert send_messages() == 1

        [message] = verified(receiver, secret)
    assert message["type"] == "pass.recorded"
    assert message["data"]["staff_number"] == "W1"
    assert [row.state for row in outbox(reference)] == [DeliveryState.DELIVERED]
    assert the_webhook(reference).delivered_at
