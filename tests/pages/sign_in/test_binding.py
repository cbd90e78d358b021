"""Which person an identity signs in: one claim once, then the issuer and the subject for ever."""

from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from portal.domain.accounts import services
from portal.domain.accounts.models import ProviderIdentity, RefusedIdentity
from portal.domain.people.models import Identifier, PersonName, Post
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import OPEN_END, db, stamp, transaction
from tests.factories.people import make_person, make_unit
from tests.page_reading import PortalClient
from tests.pages.account.browsing import make_account, signed_in
from tests.pages.sign_in.hostile_provider import HostileProvider
from tests.pages.sign_in.walking import enter, enter_page
from tests.statement_plans import noted_statements, tables_read_whole


def rename(number: str, **values: str) -> None:
    with transaction():
        db.session.execute(update(PersonName).where(PersonName.staff_number == number).values(**values))


def sign_out(client: PortalClient) -> None:
    client.delete_cookie("portal")


def actions() -> list[str]:
    return list(db.session.scalars(select(AuditEvent.action).order_by(AuditEvent.id)))


def refusal() -> str:
    return db.session.scalars(select(RefusedIdentity.reason)).one()


@pytest.mark.parametrize("written", ["D1001", " d1001 "])
def test_the_first_sign_in_binds_in_any_capitals(
    client: PortalClient, trusted: HostileProvider, written: str
) -> None:
    trusted.claims = {"employee_id": written}

    assert enter(client, trusted).status_code == 303
    identity = db.session.scalars(select(ProviderIdentity)).one()
    assert (identity.subject, identity.claim_value) == ("jo", written.strip())
    assert actions()[-2:] == ["account.identity_bound", "account.signed_in"]


def test_a_first_sign_in_reads_the_names_of_nobody_else(
    client: PortalClient, trusted: HostileProvider
) -> None:
    with noted_statements() as sent:
        assert enter(client, trusted).status_code == 303

    assert len(sent) > 5
    assert tables_read_whole(sent) == {}


def test_a_renamed_person_is_the_same_person(client: PortalClient, trusted: HostileProvider) -> None:
    enter(client, trusted)
    sign_out(client)
    rename("D1001", staff_number="D7777", surname="Other", email="other@westshire.example")
    trusted.claims = {"employee_id": "D7777", "email": "other@westshire.example"}

    assert enter(client, trusted, "/account").location == "/account"
    assert "D7777" in client.page("/account").text
    assert actions().count("account.identity_bound") == 1


def test_a_bound_identity_signs_in_whatever_the_claim_says_later(
    client: PortalClient, trusted: HostileProvider
) -> None:
    make_account("D1002")
    enter(client, trusted)
    sign_out(client)
    for value in ("D1002", None, ["D1002"]):
        trusted.claims = {"employee_id": value}
        enter(client, trusted)
        assert "D1001" in client.page("/account").text
        sign_out(client)


@pytest.mark.parametrize(
    ("claims", "reason", "sentence"),
    [
        ({"employee_id": None}, "no-claim", "did not say which person"),
        ({"employee_id": ["D1001", "D1002"]}, "no-claim", "did not say which person"),
        ({"employee_id": True}, "no-claim", "did not say which person"),
        ({"employee_id": "   "}, "no-claim", "did not say which person"),
        ({"employee_id": "D1001\x00"}, "no-claim", "did not say which person"),
        ({"employee_id": "D9999"}, "nobody", "Nobody in the portal’s roster"),
        ({"employee_id": "d1001@westshire.example"}, "nobody", "Nobody in the portal’s roster"),
        ({"employee_id": "%"}, "nobody", "Nobody in the portal’s roster"),
    ],
    ids=str,
)
def test_whoever_is_not_found_reads_whom_to_ask(
    client: PortalClient, trusted: HostileProvider, claims, reason, sentence
) -> None:
    trusted.claims = claims

    page = enter_page(client, trusted)

    assert page.h1 == "You are not signed in"
    assert sentence in page.text
    assert "Ask the learning and development team" in page.text
    assert refusal() == reason
    assert not signed_in(client)


def test_two_people_with_the_same_number_are_both_refused(
    client: PortalClient, trusted: HostileProvider, use_provider
) -> None:
    rename("D1001", email="other@westshire.example")
    make_account("d1001")  # the roster tells them apart by capitals

    assert "More than one person" in enter_page(client, trusted).text
    assert refusal() == "several"


def test_another_systems_numbers_name_a_person(
    client: PortalClient, trusted: HostileProvider, use_provider
) -> None:
    person = make_account("D1002")
    with transaction():
        db.session.add(Identifier(person_id=person, scheme="upn", value="Jo@Westshire.Example"))
        db.session.add(Identifier(person_id=person, scheme="payroll", value="D1001"))
    use_provider(trusted.issuer, oidc_match_claim="upn", oidc_match_field="upn")
    trusted.claims = {"upn": "jo@westshire.example"}

    assert enter(client, trusted).status_code == 303
    assert db.session.scalars(select(ProviderIdentity.person_id)).one() == person


def test_a_leaver_is_refused_and_comes_back_as_the_same_person(
    client: PortalClient, trusted: HostileProvider
) -> None:
    unit, yesterday = make_unit("Leavers"), clock.today() - timedelta(days=1)
    person = make_person(unit, staff_number="D1003", until=yesterday)
    trusted.claims = {"employee_id": "D1003"}

    assert "no post" in enter_page(client, trusted).text
    assert refusal() == "no-post"
    assert db.session.scalars(select(ProviderIdentity)).all() == []

    with transaction():
        db.session.add(
            Post(
                recorded_at=stamp(), person_id=person, post_key="", rank_or_grade="Sergeant",
                designated_role="response", unit_id=unit, line_manager_id=None,
                valid_from=clock.today(), valid_to=OPEN_END,
            )
        )  # fmt: skip
    assert enter(client, trusted).status_code == 303
    assert db.session.scalars(select(RefusedIdentity)).all() == []


def test_a_bound_person_who_left_is_refused(client: PortalClient, trusted: HostileProvider) -> None:
    unit = make_unit("Leaving today")
    make_person(unit, staff_number="D1004", since=date(2020, 1, 1), until=clock.today())
    trusted.claims = {"employee_id": "D1004"}
    enter(client, trusted)
    sign_out(client)

    with time_machine.travel(clock.now() + timedelta(days=1), tick=False):
        enter_page(client, trusted)

    assert refusal() == "no-post"


def test_a_closed_account_is_refused_before_and_after_it_is_bound(
    client: PortalClient, trusted: HostileProvider
) -> None:
    person = make_account("D1005")
    trusted.claims = {"employee_id": "D1005"}
    with transaction():
        services.close_account(person, by=None, at=clock.now())
    assert "closed" in enter_page(client, trusted).text

    with transaction():
        services.reopen_account(person, by=None)
    assert enter(client, trusted).status_code == 303
    sign_out(client)
    with transaction():
        services.close_account(person, by=None, at=clock.now())
    assert "closed" in enter_page(client, trusted).text


def test_a_person_signs_in_with_one_identity_alone(client: PortalClient, trusted: HostileProvider) -> None:
    enter(client, trusted)
    sign_out(client)
    trusted.claims = {"sub": "eve"}  # with the staff number of D1001

    assert "another account" in enter_page(client, trusted).text
    assert refusal() == "bound-to-another"
    assert db.session.scalars(select(ProviderIdentity.subject)).all() == ["jo"]


def test_a_refusal_tried_again_and_again_is_audited_once_an_hour(
    client: PortalClient, trusted: HostileProvider
) -> None:
    trusted.claims = {"employee_id": "D9999"}
    for _ in range(3):
        enter_page(client, trusted)
    assert actions().count("account.binding_refused") == 1

    with transaction():
        db.session.execute(update(RefusedIdentity).values(refused_at=clock.now() - timedelta(hours=2)))
    enter_page(client, trusted)
    assert actions().count("account.binding_refused") == 2


def test_refusals_are_forgotten_after_ninety_days(client: PortalClient, trusted: HostileProvider) -> None:
    trusted.claims = {"employee_id": "D9999"}
    enter_page(client, trusted)
    with transaction():
        db.session.execute(update(RefusedIdentity).values(refused_at=clock.now() - timedelta(days=91)))
    trusted.claims = {"employee_id": "D9998", "sub": "eve"}
    enter_page(client, trusted)

    assert db.session.scalars(select(RefusedIdentity.claim_value)).all() == ["D9998"]
