"""The provider is down, slow, changed or wrongly set: everyone reads why, and administrators get in."""

import secrets
from datetime import UTC, datetime, timedelta
from threading import Event
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine

from portal.platform.openid import provider
from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import (
    another,
    make_account,
    make_administrator,
    open_form,
    send_form,
    sign_in,
    signed_in,
)
from tests.pages.sign_in.hostile_provider import SECOND_KEY, HostileProvider, sign
from tests.pages.sign_in.walking import CLIENT_ID, PORTAL, begin, come_back, enter
from tests.waiting import PATIENCE

NOT_NOW = "Signing in with your Westshire account does not work at the moment."


def ask(client: PortalClient) -> Page:
    """Press the button while the provider has a fault."""
    answer = client.get("/sign-in/oidc?next=/account")
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    return Page(answer, "/sign-in/oidc")


@pytest.mark.parametrize(
    "instead",
    [
        (500, "", {}),
        (503, "{}", {}),
        (404, "{}", {}),
        (200, "<html>", {"Content-Type": "text/html"}),
        (200, "[]", {}),
        (200, '{"issuer": "http://127.0.0.1:1"}', {}),
        (200, "{", {}),
        (200, " " * (provider.MOST_BYTES + 1), {}),
        (302, "", {"Location": "http://127.0.0.1:1/elsewhere"}),
    ],
    ids=["500", "503", "404", "page", "list", "another-issuer", "cut", "large", "redirect"],
)
def test_metadata_that_cannot_be_had_is_said_and_administrators_get_in(
    client: PortalClient, trusted: HostileProvider, instead
) -> None:
    make_administrator("D9001")
    trusted.before = lambda path: instead

    page = ask(client)

    assert NOT_NOW in page.text
    answer = client.press(page, "Sign in", name="D9001", password="kettle orbit walnut")
    assert answer.h1 == "Your account"


def test_a_provider_that_nobody_listens_at_is_said(client: PortalClient, use_provider) -> None:
    use_provider("http://127.0.0.1:1")

    assert NOT_NOW in ask(client).text


@pytest.mark.parametrize(
    "metadata",
    [
        {"authorization_endpoint": None},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": "http://evil.example/token"},
        {"token_endpoint": ["x"]},
        {"token_endpoint": "https://["},
        {"token_endpoint": "ftp://127.0.0.1/token"},
        {"end_session_endpoint": "https://a.example/\r\nSet-Cookie: portal=1"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "https://me:secret@evil.example/"},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        {"issuer": "http://127.0.0.1:1"},
        {"issuer": None},
    ],
)
def test_metadata_that_would_lead_astray_is_not_used(
    client: PortalClient, trusted: HostileProvider, metadata
) -> None:
    trusted.metadata = metadata

    assert NOT_NOW in ask(client).text


def test_a_slow_provider_costs_seconds_once_and_then_nothing(
    client: PortalClient, trusted: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(provider, "ANSWER_SECONDS", 0.3)
    released = Event()
    trusted.before = lambda path: released.wait(PATIENCE) and None
    for _ in range(20):
        ask(client)
    released.set()

    assert len(trusted.asked) == 1  # then half a minute's pause


def test_a_provider_that_fails_at_the_end_signs_nobody_in(
    client: PortalClient, trusted: HostileProvider
) -> None:
    for status, text in ((500, ""), (200, "<html>"), (200, "[]"), (401, '{"error": "invalid_client"}')):
        address = trusted.answer_to(begin(client))
        trusted.before = lambda path, answer=(status, text, {}): answer if path == "/token" else None
        page = Page(come_back(client, address), address)
        assert page.status == 503, (status, page.text)
        assert NOT_NOW in page.text
    assert not signed_in(client)


def test_a_token_endpoint_that_redirects_gets_no_secret_elsewhere(
    client: PortalClient, trusted: HostileProvider
) -> None:
    address = trusted.answer_to(begin(client))
    trusted.before = lambda path: (
        (307, "", {"Location": f"{trusted.issuer}/stolen"}) if path == "/token" else None
    )

    assert come_back(client, address).status_code == 503
    assert "/stolen" not in trusted.asked


def test_rotated_keys_are_fetched_anew(
    client: PortalClient, trusted: HostileProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(client, trusted)
    client.delete_cookie("portal")
    trusted.keys = [SECOND_KEY]
    trusted.make_token = lambda claims: sign(claims, SECOND_KEY, kid="second")

    assert enter(client, trusted).status_code == 400  # fetched less than half a minute ago
    monkeypatch.setattr(provider, "PAUSE_SECONDS", 0)
    assert enter(client, trusted).status_code == 303


def test_unknown_keys_cost_one_fetch_in_half_a_minute(client: PortalClient, trusted: HostileProvider) -> None:
    trusted.make_token = lambda claims: sign(claims, SECOND_KEY, kid="second")
    for _ in range(5):
        assert enter(client, trusted).status_code == 400

    assert trusted.asked.count("/jwks") == 1


def test_metadata_and_keys_are_kept_for_an_hour() -> None:
    now, fetched = [0.0], []
    kept = provider._Fetched(lambda: fetched.append(now[0]) or len(fetched), lambda: now[0])

    assert [kept.get(), kept.get()] == [1, 1]
    now[0] = provider.KEPT_SECONDS - 1
    assert kept.get() == 1
    now[0] = provider.KEPT_SECONDS
    assert kept.get() == 2
    assert kept.get(newer=True) == 2
    now[0] += provider.PAUSE_SECONDS
    assert kept.get(newer=True) == 3


def test_a_password_is_for_administrators_where_there_is_a_provider(
    client: PortalClient, trusted: HostileProvider
) -> None:
    page = sign_in(client, "D1001")
    assert "is not right" in page.text
    assert not signed_in(client)
    assert page.all("details", open="") or page.all("details", open="open")

    person = make_account("D9001")
    make_grant(person, Role.ADMINISTRATOR)
    sign_in(client, "D9001", path="/sign-in?next=/account")
    assert signed_in(client)


def test_a_right_password_that_may_not_be_used_is_answered_as_a_wrong_one(
    client: PortalClient, trusted: HostileProvider
) -> None:
    right, wrong = (
        sign_in(client, "D1001"),
        sign_in(another(client.application), "D1001", "wrong horse staple"),
    )

    assert right.text == wrong.text


def test_a_setting_keeps_passwords_for_everyone(client: PortalClient, trusted, use_provider) -> None:
    use_provider(trusted.issuer, local_sign_in="everyone")
    page = client.page("/sign-in")
    assert "Or sign in with a password" in page.text

    sign_in(client, "D1001", path="/sign-in?next=/account")
    assert signed_in(client)


def test_without_a_provider_nothing_is_different(client: PortalClient) -> None:
    assert not [words for words in client.page("/sign-in").links if words.startswith("Sign in with")]
    for path in ("", "/callback?state=x&code=y", "/sign-out"):
        assert client.get(f"/sign-in/oidc{path}").status_code == 404


def test_an_unsent_form_is_kept_over_a_sign_in_with_the_provider(
    client: PortalClient, hostile: HostileProvider, use_provider
) -> None:
    with time_machine.travel(datetime(2026, 3, 2, 9, 0, tzinfo=UTC), tick=False) as frozen:
        form = open_form(client)
        use_provider(hostile.issuer)
        frozen.shift(timedelta(hours=2))
        assert "What you sent is kept" in send_form(client, form).text

        answer = enter(client, hostile, "/account")

        assert (answer.status_code, answer.location) == (303, "/sign-in/kept")
        page = client.press(client.page("/sign-in/kept"), "Continue")
        assert "Role granted" in page.text


def test_a_sign_in_waits_an_hour_for_its_end_and_three_tabs_at_once(
    client: PortalClient, trusted: HostileProvider
) -> None:
    with time_machine.travel(datetime(2026, 3, 2, 9, 0, tzinfo=UTC), tick=False) as frozen:
        answers = [trusted.answer_to(begin(client, f"/account?tab={tab}")) for tab in range(4)]
        assert len(client.get_cookie("portal-form").value) < 3_000
        assert come_back(client, answers[0]).status_code == 400  # the oldest of four
        frozen.shift(timedelta(minutes=59))
        assert come_back(client, answers[1]).location == "/account?tab=1"
        client.delete_cookie("portal")
        late = trusted.answer_to(begin(client))
        frozen.shift(timedelta(minutes=61))
        page = Page(come_back(client, late), late)
        assert (page.status, "begun too long ago" in page.text) == (400, True)


def test_the_longest_next_never_makes_the_cookie_too_large(
    client: PortalClient, trusted: HostileProvider
) -> None:
    for tab in range(3):
        client.get(f"/sign-in/oidc?next=/learning?q={str(tab) * 580}{secrets.token_hex(5)}")
    assert len(client.get_cookie("portal-form").value) < 4_000
    client.get(f"/sign-in/oidc?next=/learning?q={secrets.token_hex(4_000)}")
    assert len(client.get_cookie("portal-form").value) < 4_000


def test_signing_out_here_goes_on_to_the_provider(client: PortalClient, trusted: HostileProvider) -> None:
    enter(client, trusted, "/account")

    page = client.press(client.page("/account"), "Sign out")

    assert page.h1 == "You have signed out of the portal"
    address = page.links["Continue, if nothing happens"]
    assert page.headers["Refresh"] == f"0; url={address}"
    query = parse_qs(urlsplit(address).query)
    assert query == {"client_id": [CLIENT_ID], "post_logout_redirect_uri": [f"{PORTAL}/sign-in"]}
    assert not signed_in(client)


def test_a_password_session_and_a_provider_without_sign_out_end_here(
    client: PortalClient, trusted: HostileProvider, use_provider
) -> None:
    use_provider(trusted.issuer, local_sign_in="everyone")
    sign_in(client, "D1001", path="/sign-in?next=/account")
    assert client.press(client.page("/account"), "Sign out").h1 == "Sign in"

    trusted.metadata = {"end_session_endpoint": None}
    enter(client, trusted, "/account")
    page = client.press(client.page("/account"), "Sign out")
    assert page.h1 == "Sign in"
    assert "You have signed out" in page.text
