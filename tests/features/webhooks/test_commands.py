"""The commands of webhooks: added, listed, sent again and removed by name."""

import pytest
from sqlalchemy import select, update

from portal.domain.directives.models import Directive
from portal.features.webhooks.models import DeliveryState, Webhook, WebhookDelivery
from portal.features.webhooks.sending import collect_events
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.domain.imports.rosters import run
from tests.domain.status.facts import make_activity, make_directive, make_record, make_version
from tests.factories.people import make_person, make_unit

pytestmark = pytest.mark.usefixtures("database")

ADD = ("webhooks", "add", "HR system", "https://hr.example/hook")


def test_a_webhook_is_added_listed_and_removed(app):
    added = run(app, *ADD, "--event", "person.left", "--event", "person.joined")
    assert added.exit_code == 0
    assert "whsec_" in added.output

    listed = run(app, "webhooks", "list").output
    assert "HR system: active; person.left person.joined; the whole force" in listed
    assert "https://hr.example/hook  waiting 0, failed 0" in listed
    assert "whsec_" not in listed
    assert run(app, "webhooks", "remove", "hr SYSTEM").exit_code == 0
    assert db.session.scalars(select(Webhook)).all() == []


def test_it_may_be_of_one_unit_and_one_directive(app):
    force = make_unit("Force")
    make_unit("North", force)
    directive = make_directive()
    make_version(directive, {1: make_activity()})
    reference = db.session.get_one(Directive, directive).reference
    words = ("--unit", "Force/North", "--directive", reference, "--event", "status.changed")
    assert run(app, *ADD, *words).exit_code == 0
    assert f"Force/North, {reference}" in run(app, "webhooks", "list").output


@pytest.mark.parametrize(
    "words",
    [
        ("webhooks", "add", "X", "http://hr.example/"),
        ("webhooks", "add", "X", "https://hr.example/", "--unit", "Nowhere"),
        ("webhooks", "add", "X", "https://hr.example/", "--directive", "NONE"),
        ("webhooks", "remove", "X"),
        ("webhooks", "retry", "X"),
    ],
    ids=["http", "unit", "directive", "remove", "retry"],
)
def test_a_refusal_is_one_sentence_and_changes_nothing(app, words):
    refused = run(app, *words)

    assert refused.exit_code == 1
    assert "Refused: nothing was changed." in refused.output
    assert "Traceback" not in refused.output


def test_what_failed_is_sent_again(app):
    run(app, *ADD)
    make_record(make_person(make_unit("North")), make_activity(), clock.today())
    collect_events()
    with transaction():
        db.session.execute(update(WebhookDelivery).values(state=DeliveryState.FAILED, ended_at=clock.now()))

    done = run(app, "webhooks", "retry", "HR system")

    assert (
        done.output.strip()
        == f"{len(db.session.scalars(select(WebhookDelivery)).all())} messages queued again."
    )
    assert set(db.session.scalars(select(WebhookDelivery.state))) == {DeliveryState.WAITING}
    assert run(app, "webhooks", "retry", "HR system").exit_code == 1
