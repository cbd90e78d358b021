"""Receivers verify messages, and nobody else can sign them or read the secret."""

import base64
from dataclasses import replace
from datetime import timedelta

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from portal.features.webhooks import services
from portal.features.webhooks.models import DeliveryState
from portal.features.webhooks.sending import send_messages
from tests.features.webhooks.receiving import NOON, PASSES, act, make_webhook, states, the_webhook, verified
from tests.platform.outbound.receivers import receiving

pytestmark = pytest.mark.usefixtures("database")


def test_a_changed_message_or_another_secret_is_not_verified(passes):
    with receiving() as receiver:
        _, secret = make_webhook(receiver.address, PASSES)
        passes()
        send_messages()
        [message] = receiver.messages
    other = "whsec_" + base64.b64encode(b"x" * 32).decode()
    for wrong_secret, body in ((other, message.body), (secret, message.body + b" ")):
        with pytest.raises(WebhookVerificationError):
            Verifier(wrong_secret).verify(body, message.headers)


def test_both_secrets_sign_for_a_day_after_a_replacement(passes, at):
    with receiving() as receiver:
        reference, old = make_webhook(receiver.address, PASSES)
        new = act(services.replace_secret, reference, at=NOON)
        passes()
        send_messages()
        assert len(verified(receiver, old)) == len(verified(receiver, new)) == 1

        at(NOON + timedelta(hours=24, seconds=1))
        passes()
        send_messages()
        Verifier(new).verify(receiver.messages[1].body, receiver.messages[1].headers)
        with pytest.raises(WebhookVerificationError):
            Verifier(old).verify(receiver.messages[1].body, receiver.messages[1].headers)


def test_secrets_are_not_in_the_database_and_another_key_reads_none(passes, app, monkeypatch):
    with receiving() as receiver:
        reference, secret = make_webhook(receiver.address, PASSES)
        stored = the_webhook(reference).secret
        assert secret.encode() not in stored
        assert base64.b64decode(secret.removeprefix("whsec_")) not in stored
        monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], secret_key="other" * 10))
        passes()

        send_messages()

        assert receiver.messages == []
    assert states(reference) == [(DeliveryState.WAITING, 1, "secret")]
