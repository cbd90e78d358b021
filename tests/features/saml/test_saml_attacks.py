"""A response that is forged, replayed, not asked for or another browser's signs nobody in."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select, update

from portal.domain.accounts.models import ProviderIdentity, SignInSession
from portal.features.saml.models import ReceivedAssertion
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.features.saml.bringing import bring, bring_and_follow, enter, send
from tests.features.saml.hostile_idp import URN, HostileIdp, instant, request_of
from tests.features.saml.keys import make_pair
from tests.logged import Log
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import another, make_account, signed_in
from tests.pages.sign_in.walking import begin

ANSWER = "/sign-in/saml/answer"


def attempt(client: PortalClient, idp: HostileIdp, next_page: str = "/account") -> Page:
    """The page at which a sign-in ends that is not let in."""
    return Page(enter(client, idp, next_page), ANSWER)


def refused(client: PortalClient, page: Page, status: int = 400) -> bool:
    """Whether nobody was signed in or bound, and the page says so with a way on."""
    assert (page.status, page.h1) == (status, "You are not signed in"), page.text
    assert "Try again with your Westshire account" in page.links
    for table in (ProviderIdentity, SignInSession):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    return not signed_in(client)


def test_an_honest_response_signs_in(client: PortalClient, trusted: HostileIdp) -> None:
    answer = enter(client, trusted, "/account")

    assert (answer.status_code, answer.location) == (303, "/account")
    assert signed_in(client)


def test_a_forged_response_signs_nobody_in_and_the_page_does_not_say_why(
    client: PortalClient, trusted: HostileIdp, log: Log
) -> None:
    trusted.pair = make_pair("attacker")

    page = attempt(client, trusted)

    assert refused(client, page)
    assert "What your Westshire account sent could not be checked" in page.text
    assert "signature" not in page.text
    assert [line["reason"] for line in log.lines("sign_in.refused_by_provider")] == ["signature"]
    assert page.links["Try again with your Westshire account"] == "/sign-in/saml?next=/account"


def test_whoever_cancels_at_the_provider_may_try_again(client: PortalClient, trusted: HostileIdp) -> None:
    trusted.around = {"status": f"{URN}:status:AuthnFailed"}

    page = attempt(client, trusted)

    assert refused(client, page)
    assert "You did not finish signing in with your Westshire account" in page.text


def moved(seconds: int) -> dict[str, str | None]:
    ends = instant(seconds + 60)
    return {"issued": instant(seconds), "before": instant(seconds), "after": ends, "confirmed": ends}


@pytest.mark.parametrize("skew", [-300, 300, 900])
def test_a_clock_that_is_wrong_is_said_in_minutes(
    client: PortalClient, trusted: HostileIdp, skew: int
) -> None:
    trusted.values = moved(skew)

    page = attempt(client, trusted)

    assert refused(client, page, 503)
    apart = f"{abs(skew) // 60} minutes apart"
    assert f"The clocks of the portal and of your Westshire account are {apart}" in page.text


@pytest.mark.parametrize("skew", [-100, 100])
def test_clocks_may_differ_by_less_than_two_minutes(
    client: PortalClient, trusted: HostileIdp, skew: int
) -> None:
    trusted.values = moved(skew)

    assert enter(client, trusted).status_code == 303


def test_a_response_counts_once(client: PortalClient, trusted: HostileIdp, log: Log) -> None:
    request_id, relay_state = request_of(begin(client))
    document = trusted.signed_response(request_id)
    first, second = bring(client, document, relay_state), bring(client, document, relay_state)

    assert "problem=unchecked" in second.location
    assert [line["reason"] for line in log.lines("sign_in.refused_by_provider")] == ["replayed"]
    assert client.get(first.location).status_code == 303
    client.delete_cookie("portal")
    assert Page(client.get(first.location), ANSWER).status == 400
    assert not signed_in(client)


def test_a_response_counts_in_no_other_sign_in(client: PortalClient, trusted: HostileIdp) -> None:
    request_id, _ = request_of(begin(client))
    _, other_state = request_of(begin(client))

    assert refused(
        client, Page(bring_and_follow(client, trusted.signed_response(request_id), other_state), ANSWER)
    )


def test_a_response_counts_in_no_other_browser(app: Flask, client: PortalClient, trusted: HostileIdp) -> None:
    """Neither can somebody have a victim's browser sign in as themselves, nor take what it brings."""
    attacker = another(app)
    request_id, relay_state = request_of(begin(attacker))
    location = bring(attacker, trusted.signed_response(request_id), relay_state).location

    assert refused(client, Page(client.get(location), ANSWER))
    begin(client)
    token = parse_qs(urlsplit(location).query)["token"][0]
    _, own_state = request_of(begin(client))
    assert refused(client, Page(client.get(f"{ANSWER}?state={own_state}&token={token}"), ANSWER))
    assert attacker.get(location).status_code == 303  # nobody else took it


@pytest.mark.parametrize("relay_state", ["", "https://other.example/", "x" * 101, "never-seen"])
def test_what_nobody_asked_for_signs_nobody_in(
    client: PortalClient, trusted: HostileIdp, relay_state: str
) -> None:
    page = Page(bring_and_follow(client, trusted.signed_response("_request"), relay_state), ANSWER)

    assert refused(client, page)
    assert "begun too long ago, or in another browser" in page.text


def test_an_answer_that_waited_is_not_taken(client: PortalClient, trusted: HostileIdp) -> None:
    request_id, relay_state = request_of(begin(client))
    location = bring(client, trusted.signed_response(request_id), relay_state).location

    with time_machine.travel(clock.now() + timedelta(minutes=3), tick=False):
        assert refused(client, Page(client.get(location), ANSWER))


@pytest.mark.parametrize("query", ["", "?state=x", "?state=x&token=y", "?problem=clock&seconds=x"])
def test_an_address_made_up_signs_nobody_in(client: PortalClient, trusted: HostileIdp, query: str) -> None:
    assert refused(client, Page(client.get(f"{ANSWER}{query}"), ANSWER))


@pytest.mark.parametrize("problem", ["clock&seconds=99999", "clock&seconds=1e9", "other", "<b>"])
def test_a_problem_made_up_is_a_plain_refusal(
    client: PortalClient, trusted: HostileIdp, problem: str
) -> None:
    _, relay_state = request_of(begin(client))

    page = Page(client.get(f"{ANSWER}?state={relay_state}&problem={problem}"), ANSWER)

    assert refused(client, page)
    assert "could not be checked" in page.text


def test_the_database_keeps_of_a_response_no_more_than_it_needs(
    client: PortalClient, trusted: HostileIdp
) -> None:
    enter(client, trusted)
    row = db.session.scalars(select(ReceivedAssertion)).one()
    assert (row.token_hash, row.subject, row.claim_value) == (None, "", "")
    with transaction():
        db.session.execute(update(ReceivedAssertion).values(expires_at=clock.now() - timedelta(seconds=1)))
    client.delete_cookie("portal")
    trusted.assertion_id = "_another"
    enter(client, trusted)

    assert len(db.session.scalars(select(ReceivedAssertion)).all()) == 1


def test_a_form_from_elsewhere_changes_nothing_in_the_name_of_a_session(
    client: PortalClient, trusted: HostileIdp
) -> None:
    """The provider may be of the same site, so that cookies come: they are not looked at."""
    make_account("D1002")
    enter(client, trusted)
    trusted.attributes = {"employee_id": ["D1002"]}
    headers = {"Origin": "https://idp.westshire.example", "Sec-Fetch-Site": "same-site"}

    answer = client.post("/saml/acs", data={"SAMLResponse": "", "RelayState": "x"}, headers=headers)

    assert (answer.status_code, "Set-Cookie" in answer.headers) == (303, False)
    assert client.get(answer.location).location == "/"
    assert client.post("/sign-out", headers=headers).status_code == 400  # elsewhere the guard stands
    assert "D1001" in client.page("/account").text


def test_a_form_without_its_fields_is_refused(client: PortalClient, trusted: HostileIdp) -> None:
    assert refused(client, Page(client.get(send(client, {}).location), ANSWER))
    assert client.get("/saml/acs").status_code == 405
