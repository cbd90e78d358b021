"""Who is invited, by whom and why not: filters, units, roles, and the force's own sign-in."""

import random
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from flask import Flask
from sqlalchemy import delete, select, update

from portal.domain.accounts import services
from portal.domain.accounts.grants import administers_person
from portal.domain.accounts.models import Credential, Invitation, PasswordLink, ProviderIdentity
from portal.domain.directives.models import Directive
from portal.domain.people.models import PersonName, RoleGrant
from portal.domain.people.queries import may_see, viewer_of
from portal.domain.reminders.invitations import Candidates, InvitationFilter, InvitationOutcome
from portal.domain.reminders.models import Delivery, Message, MessageKind
from portal.platform import clock as portal_clock
from portal.platform.db import db, transaction
from portal.platform.jobs.models import Job
from portal.platform.permissions import Permission
from tests.domain.reminders.office_set import set_office
from tests.domain.reminders.post_office import Office
from tests.domain.status.facts import add, make_activity, make_module_version, make_version
from tests.examples import sweep_after
from tests.factories.people import make_grant
from tests.page_reading import PortalClient, words
from tests.pages.monitoring.counting import statements
from tests.pages.people.inviting import (
    NOON,
    PAGE,
    Force,
    enter,
    invite,
    invite_button,
    run_jobs,
    sent_to,
    set_email,
)

pytestmark = pytest.mark.slow
ISSUER = "https://provider.example"


def numbers_shown(admin: PortalClient, query: str) -> set[str]:
    page = admin.page(PAGE + query)
    return {words(head[-1]) for head in page.all("th", scope="row")}


def invitation_of(force: Force, number: str, **more: object) -> Invitation:
    columns: dict[str, object] = {"message_id": None, "expires_at": None, "used_at": None, **more}
    by = force.people["D9001"]
    return Invitation(
        person_id=force.people[number], batch=uuid4(), invited_at=NOON, invited_by_id=by, **columns
    )


def test_an_administrator_of_a_unit_invites_there_alone(app: Flask, office: Office, force: Force) -> None:
    elsewhere = force.add("N9", surname="Shared")
    make_grant(elsewhere, "manager", force.units["south"])
    admin = enter(app, "D9002")
    page = admin.page(PAGE)
    assert "New S1" not in page.text
    assert invite_button(page) == "Invite 2 people"
    assert "Shared" in admin.page(f"{PAGE}?outcome=outside").text
    invite(app, admin)
    assert {address for address, _ in office.taken if address[0] in "ns"} == {
        "n1@westshire.example",
        "n2@westshire.example",
    }
    refused = admin.page(f"{PAGE}?unit=South", 400)
    assert "No unit has the path or name “South” today." in refused.text
    token = {"csrf_token": page.form_with("Invite 2 people").fields["csrf_token"]}
    assert admin.post("/people/S1/account/invitation", data=token).status_code == 404
    assert admin.post("/people/N9/account/invitation", data=token).status_code == 403


def test_whose_link_was_replaced_by_hand_or_ended_is_not_said_to_have_one(
    app: Flask, office: Office, admin: PortalClient, force: Force
) -> None:
    invite(app, admin, "?unit=South")
    with transaction():
        services.close_account(force.people["S1"], by=None, at=portal_clock.now())
        services.reopen_account(force.people["S1"], by=None)
    page = admin.page(f"{PAGE}?unit=South")
    assert "The link no longer works." in page.text
    assert invite_button(page) == "Invite 1 person"


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("unit=South", {"S1"}),
        ("unit=Force/North", {"N1", "N2"}),
        ("role=custody", {"N2"}),
        ("role=custody&unit=South", set()),
        ("invited=before", {"S1"}),
        ("invited=never", {"N1", "N2"}),
        ("directive=OIC-2026", {"N2"}),
        ("directive=OIC-2026&unit=South", set()),
    ],
    ids=["unit", "path", "role", "role-elsewhere", "before", "never", "directive", "directive-elsewhere"],
)
def test_a_filter_narrows_the_preview(
    app: Flask, force: Force, admin: PortalClient, query: str, numbers: set[str]
) -> None:
    add(invitation_of(force, "S1"))
    activity = make_activity()
    make_module_version(activity)
    audience = {"audience": [{"designated_role": ["custody"]}], "except": []}
    make_version(add(Directive(reference="OIC-2026")), {1: activity}, audience=audience)
    assert numbers_shown(admin, f"?{query}") & {"N1", "N2", "S1"} == numbers
    assert numbers_shown(admin, f"?{query}&outcome=invite") == numbers


@pytest.mark.parametrize(
    "query", ["unit=Nowhere", "role=wizard", "directive=NONE-1", "invited=often", "outcome=maybe"]
)
def test_a_value_that_nobody_knows_is_refused(admin: PortalClient, query: str) -> None:
    page = admin.page(f"{PAGE}?{query}", 400)
    assert page.title.startswith("Error: ")
    assert invite_button(page) == ""


def test_the_preview_says_why_not(app: Flask, force: Force, admin: PortalClient) -> None:
    force.add("TWIN1")
    force.add("TWIN2")
    set_email(force.people["TWIN1"], "both@westshire.example")
    set_email(force.people["TWIN2"], "Both@westshire.example")
    page = admin.page(PAGE)
    rows = {words(row[0][-1]): words(row) for row in page.all("tr") if len(row[0])}
    for number, label in (
        ("N1", "Will be invited"),
        ("HAS", "Can sign in already"),
        ("CLOSED", "Account closed"),
        ("NOMAIL", "No email address: print a card"),
        ("TWIN1", "Email address of two people"),
        ("TWIN2", "Email address of two people"),
    ):
        assert label in rows[number]
    assert invite_button(page) == "Invite 3 people"


def test_where_people_sign_in_with_a_provider_administrators_alone_are_invited(
    app: Flask, office: Office, force: Force, monkeypatch: pytest.MonkeyPatch
) -> None:
    provided = {"oidc_issuer": ISSUER, "oidc_client_id": "portal", "oidc_client_secret": "s" * 32}
    provided |= {"oidc_match_claim": "employee_id", "oidc_match_field": "staff_number"}
    settings = replace(app.config["PORTAL"], **provided, oidc_label="your Westshire account")
    monkeypatch.setitem(app.config, "PORTAL", settings)
    make_grant(force.add("D9005"), "administrator", force.units["north"])
    bound = force.add("D9006")
    make_grant(bound, "administrator")
    add(
        ProviderIdentity(
            person_id=bound, issuer=ISSUER, subject="x", claim_value="x", bound_at=NOON, last_used_at=NOON
        )
    )
    admin = enter(app)
    page = admin.page(PAGE)
    assert "People sign in with your Westshire account. Only administrators can have a password" in page.text
    assert invite_button(page) == "Invite 1 person"
    assert "Signs in with your Westshire account (5)" in page.text  # N1, N2, S1, NOMAIL and HAS
    invite(app, admin)
    invitations = [to for to, mail in office.taken if mail["Subject"].startswith("Set your password")]
    assert invitations == ["d9005@westshire.example"]


def change_between(force: Force, what: str) -> None:
    """What happens after the button and before the mail."""
    person = force.people["N1"]
    with transaction():
        if what == "closed":
            services.close_account(person, by=None, at=portal_clock.now())
        elif what == "password":
            services.set_password(person, "kettle orbit walnut", portal_clock.now())
        elif what == "left":
            db.session.execute(delete(PersonName).where(PersonName.person_id == person))
        elif what == "no address":
            db.session.execute(update(PersonName).where(PersonName.person_id == person).values(email=None))
        elif what == "shared":
            twin = update(PersonName).where(PersonName.person_id == force.people["NOMAIL"])
            db.session.execute(twin.values(email="N1@westshire.example"))


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("closed", "The account is closed."),
        ("password", "This person can sign in already."),
        ("left", "This person has left or was erased."),
        ("no address", "No email address is known for this person."),
        ("shared", "Another person has the same email address."),
    ],
)
def test_what_happens_before_the_mail_goes_stops_it(
    app: Flask,
    office: Office,
    admin: PortalClient,
    force: Force,
    clock: time_machine.Traveller,
    what: str,
    reason: str,
) -> None:
    with set_office(app, smtp_port=1):
        invite(app, admin, "?unit=North")
    change_between(force, what)
    clock.shift(timedelta(hours=1))
    app.test_cli_runner().invoke(args=["reminders", "send"])
    assert [mail for mail in sent_to(office, "N1") if "/set-password/" in str(mail)] == []
    row = db.session.scalars(
        select(Message).where(Message.person_id == force.people["N1"], Message.kind == MessageKind.INVITATION)
    ).one()
    assert (row.state, row.reason) == (Delivery.DROPPED, reason)


def test_who_lost_the_role_before_the_worker_came_invites_nobody(
    app: Flask, office: Office, admin: PortalClient, force: Force
) -> None:
    invite(app, admin, run=False)
    with transaction():
        db.session.execute(delete(RoleGrant).where(RoleGrant.person_id == force.people["D9001"]))
    run_jobs(app)
    assert office.taken == []
    job = db.session.scalars(select(Job).where(Job.kind == "invitations")).one()
    assert job.state == "failed"
    assert job.reason == "The person who asked for this may no longer administer accounts."


def test_without_a_relay_nobody_is_invited_and_the_page_says_so(
    app: Flask, force: Force, admin: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = admin.page(PAGE).form_with("Invite 3 people").fields
    monkeypatch.setitem(app.config, "PORTAL", replace(app.config["PORTAL"], smtp_host=""))
    page = admin.page(PAGE)
    assert "Email is not set up, so nobody can be invited by email." in page.text
    assert invite_button(page) == ""
    assert "Needs a printed card (3)" in page.text
    assert "Will be invited" not in page.text
    cards = admin.page("/people/invitations/print?unit=North")
    assert "Everyone who cannot sign in yet" not in cards.text
    assert "Make 3 links to print" in cards.text  # N1, N2 and NOMAIL
    admin.post(PAGE, data=fields)
    assert run_jobs(app) == []


def test_at_night_invitations_wait_for_the_hours_of_mail(
    app: Flask, office: Office, admin: PortalClient, clock: time_machine.Traveller
) -> None:
    clock.move_to(NOON.replace(hour=23))
    admin = enter(app)
    assert "are sent, from 07:00 on 21 May 2026" in admin.page(PAGE).text
    invite(app, admin)
    assert sent_to(office, "N1") == []
    clock.move_to(NOON.replace(day=21))
    app.test_cli_runner().invoke(args=["reminders", "send"])
    assert len(sent_to(office, "N1")) == 1


def test_more_people_cost_no_more_statements(app: Flask, force: Force, admin: PortalClient) -> None:
    admin.get(PAGE)
    with statements() as few:
        admin.get(PAGE)
    for number in range(20):
        add(invitation_of(force, "N1")) if not number else None
        force.add(f"M{number:02d}")
    with statements() as many:
        page = admin.page(PAGE)
    assert len(page.all("th", scope="row")) == 25
    assert len(many) == len(few)


@pytest.mark.parametrize("by", sweep_after(1, "unit-and-manager", "unit", "force"))
def test_the_preview_agrees_with_one_person_after_another(app: Flask, force: Force, by: str) -> None:
    seeded = random.Random(13)
    scatter_people(force, seeded)
    number = {"force": "D9001"}.get(by, "D9002")
    if by == "unit-and-manager":
        make_grant(force.people["D9002"], "auditor", force.units["south"])
    viewer = viewer_of(force.people[number])
    assert viewer is not None
    found = Candidates(viewer, InvitationFilter(), portal_clock.now())
    listed = {row.person_id: row.outcome for row in found.list_rows(list(InvitationOutcome), 0, 500)}
    expected = {
        person_id: outcome_by_hand(viewer, person_id)
        for person_id in db.session.scalars(select(PersonName.person_id))
        if may_see(viewer, person_id, Permission.ACCOUNT_ADMINISTER)
    }
    assert listed == expected
    assert len(set(expected.values())) >= 8 - (by == "force")
    counts, _ = found.count_by_outcome()
    assert {outcome: count for outcome, count in counts.items() if count} == {
        outcome: list(expected.values()).count(outcome) for outcome in set(expected.values())
    }
    invited = [person_id for person_id, outcome in expected.items() if outcome == InvitationOutcome.INVITE]
    assert found.next_slice(0, 500) == sorted(invited)


def scatter_people(force: Force, seeded: random.Random) -> None:
    """A hundred people with any mixture of what counts."""
    for index in range(100):
        person = force.add(f"R{index:02d}", seeded.choice(["north", "north", "south", "force"]))
        if seeded.random() < 0.2:
            set_email(person, seeded.choice([None, f"t{index}@westshire.example"]))
        if seeded.random() < 0.1:
            unit = force.units[seeded.choice(["north", "south"])]
            make_grant(person, seeded.choice(["manager", "auditor"]), unit)
        if seeded.random() < 0.2:
            closed, hashed = (NOON if seeded.random() < 0.5 else None), seeded.choice([None, "a hash"])
            with transaction():
                db.session.add(Credential(person_id=person, password_hash=hashed, closed_at=closed))
        for _ in range(seeded.choice([0, 0, 1, 2])):
            add_invitation(force, f"R{index:02d}", seeded)
    for email in ("same@westshire.example", "SAME@westshire.example"):
        set_email(force.add(f"SAME{email[0]}"), email)


def add_invitation(force: Force, number: str, seeded: random.Random) -> None:
    person, message_id = force.people[number], None
    if seeded.random() < 0.8:
        email = seeded.choice([f"{number.lower()}@westshire.example", "old@westshire.example"])
        columns = {"not_before": NOON, "created_at": NOON, "reference": uuid4(), "email": email}
        state = seeded.choice([*Delivery, Delivery.BOUNCED])
        message_id = add(Message(person_id=person, kind=MessageKind.INVITATION, state=state, **columns))
    days = seeded.choice([-1, 1])
    expires_at = seeded.choice([None, NOON.replace(day=NOON.day + days)])
    used_at = seeded.choice([None, None, None, NOON])
    add(invitation_of(force, number, message_id=message_id, expires_at=expires_at, used_at=used_at))
    link = {"token_hash": seeded.randbytes(8).hex(), "person_id": person, "created_at": NOON}
    link |= {"expires_at": NOON.replace(day=NOON.day + days), "used_at": seeded.choice([None, None, NOON])}
    with transaction():
        db.session.add(PasswordLink(**link))


def outcome_by_hand(viewer: object, person_id: int) -> InvitationOutcome:
    """The outcome by the rules as an administrator would say them, for one person."""
    if not administers_person(viewer, person_id):  # type: ignore[arg-type]
        return InvitationOutcome.OUTSIDE
    credential = db.session.get(Credential, person_id)
    if credential and credential.closed_at:
        return InvitationOutcome.CLOSED
    if credential and credential.password_hash:
        return InvitationOutcome.ACCOUNT
    return outcome_by_address(person_id)


def outcome_by_address(person_id: int) -> InvitationOutcome:
    """The same, for somebody who has no account and may get one."""
    rows = db.session.execute(select(PersonName.person_id, PersonName.email))
    emails = {person: email for person, email in rows}
    own = emails[person_id]
    if own is None:
        return InvitationOutcome.NO_EMAIL
    if [email.lower() for email in emails.values() if email].count(own.lower()) > 1:
        return InvitationOutcome.SHARED_EMAIL
    return outcome_by_history(person_id, own)


def outcome_by_history(person_id: int, own: str) -> InvitationOutcome:
    """The same, for somebody with an address of their own."""
    rows = select(Invitation).where(Invitation.person_id == person_id).order_by(Invitation.id.desc())
    last = db.session.scalars(rows.limit(1)).one_or_none()
    if last is None:
        return InvitationOutcome.INVITE
    message = db.session.get(Message, last.message_id) if last.message_id else None
    state = message.state if message else None
    if last.used_at is None and state in {"waiting", "sending"}:
        return InvitationOutcome.INVITED
    links = db.session.scalars(select(PasswordLink).where(PasswordLink.person_id == person_id))
    has_link = any(link.used_at is None and link.expires_at > NOON for link in links)
    if last.used_at is None and state in {None, "sent"} and has_link:
        return InvitationOutcome.INVITED
    if message and state in {"refused", "bounced"} and message.email == own:
        return InvitationOutcome.UNDELIVERED
    return InvitationOutcome.INVITE
