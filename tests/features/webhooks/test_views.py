"""The pages of webhooks, as an administrator of the whole force uses them, and nobody else."""

import re
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from portal.features.webhooks import sending
from portal.features.webhooks.models import DeliveryState, Webhook, WebhookDelivery
from portal.features.webhooks.sending import collect_events, send_messages
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.domain.reminders.office_set import set_office
from tests.domain.status.facts import add_activity, make_directive, make_record
from tests.factories.people import make_grant, make_person, make_unit
from tests.pages.account.browsing import let_in, make_account
from tests.pages.monitoring.counting import statements
from tests.platform.outbound.receivers import receiving

ADDRESS = "https://hr.example/hook"


@pytest.fixture
def admin(client):
    """A browser of D9001, an administrator of the whole force."""
    make_grant(make_account("D9001"), "administrator")
    let_in(client, "D9001")
    return client


def fill_in(client, status=200, **fields):
    sent = {
        "name": "HR",
        "address": ADDRESS,
        "events": ["pass.recorded"],
        "unit": "",
        "directive": "",
        **fields,
    }
    return client.press(client.page("/webhooks/new"), "Save", status, **sent)


def the_page(client):
    reference = db.session.scalars(select(Webhook.reference)).one()
    return client.page(f"/webhooks/{reference}")


def rows():
    db.session.rollback()
    return db.session.scalars(select(WebhookDelivery).order_by(WebhookDelivery.id)).all()


def test_a_webhook_is_added_and_its_secret_is_shown_once(admin):
    page = fill_in(admin)

    assert page.h1 == "Secret of HR"
    secret = re.search(r"whsec_[A-Za-z0-9+/=]{44}", page.text)[0]
    listed, shown = admin.page("/webhooks"), the_page(admin)
    assert "HR" in listed.text
    assert ADDRESS in shown.text
    assert secret not in listed.text + shown.text
    for event in db.session.scalars(select(AuditEvent)):
        assert secret not in str(event.detail)
        assert ADDRESS not in str(event.detail)
    assert "webhook.added" in db.session.scalars(select(AuditEvent.action)).all()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": ""}, "Enter a name"),
        ({"address": ""}, "Enter the address of the receiver"),
        ({"address": "http://hr.example/"}, "begins with https://"),
        ({"address": "https://10.0.0.1/"}, "not public"),
        ({"address": "https://169.254.169.254/"}, "not public"),
        ({"address": "https://me:word@hr.example/"}, "Leave out the name and the password"),
        ({"events": []}, "Choose at least one event"),
    ],
    ids=["no-name", "no-address", "http", "private", "metadata", "password", "no-events"],
)
def test_a_webhook_is_refused_with_a_sentence(admin, fields, sentence):
    page = fill_in(admin, 400, **fields)

    assert page.title.startswith("Error: ")
    assert sentence in page.text
    assert db.session.scalars(select(Webhook)).all() == []


def test_a_second_one_of_a_name_and_one_of_people_and_a_directive_are_refused(admin):
    directive = make_directive()
    fill_in(admin)
    assert "Another webhook has this name" in fill_in(admin, 400, name="hr").text
    page = fill_in(admin, 400, name="Two", events=["person.left"], directive=str(directive))
    assert "belong to no directive" in page.text


def test_a_unit_is_written_with_as_many_parents_as_tell_it_apart(admin):
    force = make_unit("Force")
    north = make_unit("Team A", make_unit("North", force))
    make_unit("Team A", make_unit("South", force))
    fill_in(admin, unit=str(north))

    assert "North, Team A" in admin.page("/webhooks").text
    assert "About North, Team A" in the_page(admin).text
    assert "Force/North" not in admin.page("/webhooks").text + the_page(admin).text


def test_an_address_on_this_machine_is_for_the_demo_and_the_setting(admin, app, monkeypatch):
    assert fill_in(admin, address="http://127.0.0.1:8900/hook").h1 == "Secret of HR"
    production = replace(app.config["PORTAL"], webhook_networks="10.0.0.0/8")
    monkeypatch.setitem(app.config, "PORTAL", production)
    assert "not public" in fill_in(admin, 400, name="Two", address="http://127.0.0.1:8900/").text


def test_a_test_event_reaches_the_receiver_and_its_outcome_is_shown(admin):
    with receiving() as receiver:
        fill_in(admin, address=receiver.address)
        admin.press(the_page(admin), "Send a test event")
        assert "Waiting" in the_page(admin).text
        send_messages()

        assert len(receiver.messages) == 1
    page = the_page(admin)
    assert "The receiver answered 200" in page.text
    assert "Active. A message was last delivered at" in page.text


def test_a_failed_message_is_shown_and_sent_again(admin):
    person, activity = make_person(make_unit("North"), staff_number="W1"), add_activity("module", "protect")
    with receiving() as receiver:
        receiver.statuses = [503, 200]
        fill_in(admin, address=receiver.address)
        make_record(person, activity, clock.today())
        send_messages()
        with transaction():
            db.session.execute(update(WebhookDelivery).values(expires_at=clock.now()))
            db.session.execute(
                update(Webhook).values(failures=9, resting_until=clock.now().replace(year=2090))
            )
        with transaction():
            sending.fail_expired_messages(clock.now())

        page = the_page(admin)
        assert "W1" in page.text
        assert "The receiver answered 503" in page.text
        assert "Messages failed" in admin.page("/webhooks").text
        admin.press(page, "Send 1 failed message again")
        send_messages()
    assert [row.state for row in rows()] == [DeliveryState.DELIVERED]
    admin.press(the_page(admin), re.search(r"Send again: msg_\w+", the_page(admin).text)[0])
    assert [row.state for row in rows()] == [DeliveryState.WAITING]


def test_pausing_resuming_changing_and_removing(admin):
    fill_in(admin)
    assert "Webhook paused" in admin.press(the_page(admin), "Pause").text
    assert "Paused by an administrator" in the_page(admin).text
    assert "from now on" in admin.press(the_page(admin), "Resume from now on", **{"from": "now"}).text
    reference = db.session.scalars(select(Webhook.reference)).one()

    page = admin.page(f"/webhooks/{reference}/edit")
    assert "Webhook changed" in admin.press(page, "Save", name="Training").text
    assert db.session.scalars(select(Webhook.name)).one() == "Training"
    page = admin.page(f"/webhooks/{reference}/secret")
    assert "whsec_" in admin.press(page, "Replace the secret").text
    assert db.session.scalars(select(Webhook)).one().old_secret
    admin.press(admin.page(f"/webhooks/{reference}/remove"), "Remove this webhook")
    assert db.session.scalars(select(Webhook)).all() == []
    acts = db.session.scalars(
        select(AuditEvent.action).where(AuditEvent.action.like("webhook.%")).order_by(AuditEvent.id)
    ).all()
    assert list(acts) == [
        "webhook.added",
        "webhook.paused",
        "webhook.resumed",
        "webhook.changed",
        "webhook.secret_replaced",
        "webhook.removed",
    ]


def test_an_administrator_of_a_unit_may_not_look(client):
    unit = make_unit("North")
    make_grant(make_account("D9004", unit=unit), "administrator", unit)
    let_in(client, "D9004")

    for path in ("/webhooks", "/webhooks/new"):
        assert client.get(path).status_code == 403
    assert "Webhooks" not in client.page("/account").text


def test_twenty_messages_cost_as_many_statements_as_two(admin):
    fill_in(admin)
    activity = add_activity("module", "protect")
    for number in range(2):
        make_record(make_person(make_unit(f"U{number}")), activity, clock.today())
    collect_events()
    the_page(admin)
    with statements() as few:
        the_page(admin)
    for number in range(18):
        make_record(make_person(make_unit(f"V{number}")), activity, clock.today())
    collect_events()
    with statements() as many:
        the_page(admin)

    assert len(rows()) == 20
    assert len(many) == len(few)


def test_other_administrators_hear_of_a_webhook_and_all_of_messages_that_failed(admin, app):
    make_grant(make_account("D9002"), "administrator")
    unit = make_unit("North")
    make_grant(make_account("D9004", unit=unit), "administrator", unit)
    with set_office(app) as office:
        fill_in(admin)
        admin.press(the_page(admin), "Send a test event")
        for _ in range(2):
            with transaction():
                db.session.execute(update(WebhookDelivery).values(expires_at=clock.now().replace(year=2020)))
                sending.fail_expired_messages(clock.now())
        assert app.test_cli_runner().invoke(args=["reminders", "send"]).exit_code == 0

        subjects = sorted((to, mail["Subject"]) for to, mail in office.taken)
        texts = {mail["Subject"]: mail.get_body(("plain",)).get_content() for _, mail in office.taken}
    assert subjects == [
        ("d9001@westshire.example", "Messages to HR failed"),
        ("d9002@westshire.example", "Messages to HR failed"),
        ("d9002@westshire.example", "Webhook added: HR"),
    ]
    assert "could not be delivered for three days" in texts["Messages to HR failed"]
    assert "tells hr.example about people" in " ".join(texts["Webhook added: HR"].split())
    assert "/webhooks" in texts["Webhook added: HR"]


def test_webhooks_that_a_restore_paused_are_resumed_together(admin):
    fill_in(admin)
    fill_in(admin, name="Paused by hand")
    with transaction():
        db.session.execute(update(Webhook).where(Webhook.name == "HR").values(paused="restored"))
        db.session.execute(update(Webhook).where(Webhook.name != "HR").values(paused="by_hand"))

    page = admin.page(admin.page("/desk").links["1 webhook to resume or remove"])
    page = admin.press(page, "Resume all 1")

    assert "1 webhook resumed. What they missed is sent now." in page.text
    assert "Resume all" not in page.text
    assert dict(db.session.execute(select(Webhook.name, Webhook.paused)).all()) == {
        "HR": None,
        "Paused by hand": "by_hand",
    }
