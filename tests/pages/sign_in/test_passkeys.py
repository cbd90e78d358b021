"""Passkeys on the pages: adding one, signing in with it alone or after the password, and forged answers."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.domain.accounts import factors, services
from portal.domain.accounts.errors import PasskeyRefusedError
from portal.domain.accounts.factors import decode, encode, relying_party
from portal.domain.accounts.models import Factor, SignInSession, SpentChallenge
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.domain.accounts.factors.making import PRESENT, VERIFIED, SoftAuthenticator, add_codes
from tests.factories.people import make_grant
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import another, make_account, sign_in, signed_in
from tests.pages.sign_in.second_factors import add_passkey, answer, options_on, pass_password, set_factor

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BUTTON, AFTER_PASSWORD = "Sign in with a passkey", "Use your passkey"
REFUSED = "That passkey could not be checked"


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def device(app: Flask, database: None) -> SoftAuthenticator:
    """D1001's device with a passkey."""
    made, client = SoftAuthenticator(), another(app)
    make_account()
    sign_in(client)
    add_passkey(client, made)
    return made


def enter(client: PortalClient, device: SoftAuthenticator, status: int = 200) -> Page:
    """Press the sign-in page's button, and use the passkey."""
    page = client.page("/sign-in?next=/account")
    return answer(client, page, device.get(options_on(page)), BUTTON, status)


def test_a_passkey_is_added_with_a_name_and_recovery_codes(client: PortalClient) -> None:
    make_account()
    sign_in(client)

    page = add_passkey(client, SoftAuthenticator(), "Laptop")

    assert page.h1 == "Your recovery codes"
    assert "Laptop Passkey" in client.page("/account/factors").text


def test_a_passkey_under_whose_key_anybody_signs_is_not_added(client: PortalClient) -> None:
    make_account()
    sign_in(client)

    page = add_passkey(client, SoftAuthenticator(key=bytes(32)))

    assert page.h1 != "Your recovery codes"
    assert "Laptop Passkey" not in client.page("/account/factors").text


@pytest.mark.parametrize(("size", "is_added"), [(0, False), (1023, True), (1024, False), (3700, False)])
def test_an_id_longer_than_webauthn_allows_is_not_added(
    client: PortalClient, size: int, is_added: bool
) -> None:
    make_account()
    sign_in(client)
    device = SoftAuthenticator(credential=bytes(7 * n % 251 for n in range(size)))

    page = add_passkey(client, device)

    assert (page.h1 == "Your recovery codes") is is_added
    assert ("The passkey could not be added" in page.text) is not is_added
    assert db.session.scalar(select(func.count()).select_from(Factor)) == is_added


def test_an_id_that_the_authenticator_did_not_sign_is_not_added(client: PortalClient) -> None:
    make_account()
    sign_in(client)
    page, device = client.page("/account/factors/passkeys"), SoftAuthenticator()
    sent = json.loads(device.create(options_on(page)))
    sent["id"] = sent["rawId"] = encode(b"another")

    assert "could not be added" in answer(client, page, json.dumps(sent), "Add a passkey").text
    assert db.session.scalar(select(func.count()).select_from(Factor)) == 0


def test_a_learner_signs_in_with_a_passkey_alone(client: PortalClient, device: SoftAuthenticator) -> None:
    assert enter(client, device).h1 == "Your account"

    session = db.session.scalars(select(SignInSession).order_by(SignInSession.created_at.desc())).first()
    assert session is not None
    assert (session.method, session.factor) == ("passkey", "passkey")
    assert db.session.scalars(select(Factor.sign_count)).one() == 1


def test_it_is_both_factors_of_whoever_needs_two(
    app: Flask, client: PortalClient, device: SoftAuthenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_grant(db.session.scalars(select(Factor.person_id)).one(), Role.ADMINISTRATOR)
    set_factor(app, monkeypatch, "required")

    enter(client, device)

    assert client.page("/people").status == 200


def test_after_the_password_only_ones_own_passkey_counts(
    app: Flask, client: PortalClient, device: SoftAuthenticator
) -> None:
    add_codes(make_account("D1002"))
    page = pass_password(client, "D1002")
    assert 'data-passkey="get"' not in page.html  # D1002 has none
    form = page.form_with("Continue")
    stolen = device.get({"challenge": options_on(another(app).page("/sign-in"))["challenge"]})
    client.post("/sign-in/factor", data={**form.fields, "passkey": stolen})
    assert not signed_in(client)

    page = pass_password(client)
    options = options_on(page)
    assert [one["id"] for one in options["allowCredentials"]] == [encode(device.credential)]
    assert answer(client, page, device.get(options), AFTER_PASSWORD).h1 == "Your account"


def test_what_the_browser_is_asked_for_requires_verification_and_names_no_one(
    client: PortalClient, device: SoftAuthenticator
) -> None:
    options = options_on(client.page("/sign-in"))

    assert options["userVerification"] == "required"
    assert options["allowCredentials"] == []
    assert options["rpId"] == "localhost"
    sign_in(client, path="/sign-in?next=/account", status=200)
    assert b"D1001" not in device.user
    assert len(device.user) == 32


@pytest.mark.parametrize(
    ("wrong", "value"),
    [
        ("origin", "https://localhost.example"),
        ("origin", "http://localhost:8443"),
        ("host", "example"),
        ("flags", PRESENT),
        ("flags", VERIFIED),
        ("kind", "webauthn.create"),
        ("cross_origin", True),
        ("user", b"somebody else"),
        ("credential", b"unknown"),
        ("key", None),
    ],
    ids=lambda value: str(value)[:24],
)
def test_an_answer_that_is_not_right_signs_nobody_in(
    client: PortalClient, device: SoftAuthenticator, wrong: str, value: Any
) -> None:
    setattr(device, wrong, value if value is not None else SoftAuthenticator().key)

    page = enter(client, device)

    assert REFUSED in page.text
    assert not signed_in(client)


@pytest.mark.parametrize("name", ["\ud800", "\x00", "", "=", "a" * 1365, "é", "a+/b", "a\n"], ids=repr)
def test_an_id_that_no_passkey_has_is_refused(
    client: PortalClient, device: SoftAuthenticator, name: str
) -> None:
    page = client.page("/sign-in")
    sent = {**json.loads(device.get(options_on(page))), "id": name}

    assert REFUSED in answer(client, page, json.dumps(sent), BUTTON).text
    assert not signed_in(client)


def test_a_challenge_counts_once_in_its_browser_for_its_purpose(
    app: Flask, client: PortalClient, device: SoftAuthenticator
) -> None:
    page = client.page("/sign-in?next=/account")
    given = device.get(options_on(page))
    thief = another(app)
    assert REFUSED in answer(thief, thief.page("/sign-in"), given, BUTTON).text  # another browser
    assert answer(client, page, given, BUTTON).h1 == "Your account"
    client.delete_cookie("portal")
    assert REFUSED in answer(client, client.page("/sign-in"), given, BUTTON).text  # again

    other = another(app)
    options = options_on(pass_password(other))
    answer(other, other.page("/sign-in/factor"), device.get(options), AFTER_PASSWORD)
    assert signed_in(other)
    again = other.page("/account/factors/passkeys")
    page = answer(other, again, device.get(options_on(again)), "Add a passkey")
    assert "The passkey could not be added" in page.text  # signing in is no adding


def test_a_challenge_runs_out(
    frozen: time_machine.Traveller, client: PortalClient, device: SoftAuthenticator
) -> None:
    page = client.page("/sign-in?next=/account")
    given = device.get(options_on(page))
    frozen.shift(timedelta(minutes=31))

    assert REFUSED in answer(client, page, given, BUTTON).text
    assert enter(client, device).h1 == "Your account"


def test_a_refused_answer_leaves_its_challenge_and_nothing_is_stored_before(
    client: PortalClient, device: SoftAuthenticator
) -> None:
    before = db.session.scalar(select(func.count()).select_from(SpentChallenge))
    device.flags = PRESENT
    enter(client, device)

    assert db.session.scalar(select(func.count()).select_from(SpentChallenge)) == before


def test_a_counter_that_goes_back_is_a_copy_and_refused(
    client: PortalClient, device: SoftAuthenticator
) -> None:
    device.count = 7
    enter(client, device)
    assert signed_in(client)
    client.delete_cookie("portal")
    device.count = 3

    assert REFUSED in enter(client, device).text


def test_a_device_that_counts_nothing_is_taken(client: PortalClient, device: SoftAuthenticator) -> None:
    for _ in range(2):
        device.count = -1  # the device adds one: synced passkeys stay at 0
        assert enter(client, device).h1 == "Your account"
        client.delete_cookie("portal")


@pytest.mark.parametrize("why", ["closed", "reset", "passwords for administrators"])
def test_who_may_not_sign_in_does_not_with_a_passkey(
    client: PortalClient, device: SoftAuthenticator, use_provider, why: str
) -> None:
    person = db.session.scalars(select(Factor.person_id)).one()
    with transaction():
        if why == "closed":
            services.close_account(person, by=None, at=clock.now())
        if why == "reset":
            factors.reset_factors(person, by=None, at=clock.now())
    if why.startswith("passwords"):
        use_provider("http://127.0.0.1:9")

    assert REFUSED in enter(client, device).text
    assert not signed_in(client)


def test_where_the_address_is_a_number_the_pages_offer_no_passkeys(client: PortalClient) -> None:
    make_account()
    sign_in(client)
    base = {"base_url": "http://127.0.0.1:8000"}
    assert b"data-passkey" not in PortalClient(client.application).get("/sign-in", **base).data
    assert not relying_party("http://127.0.0.1:8000", "").may_have_passkeys
    assert not relying_party("http://[::1]:8000", "").may_have_passkeys
    assert relying_party("https://learning.example.police.uk", "").may_have_passkeys


def test_the_public_address_alone_is_the_origin_where_it_is_https(
    app: Flask, client: PortalClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_factor(app, monkeypatch, "offered", public_url="https://learning.example.police.uk")
    answer = client.get("/sign-in", base_url="http://attacker.example")

    assert b"learning.example.police.uk" in answer.data
    assert b"rpId&#34;: &#34;attacker" not in answer.data


def test_the_same_passkey_is_not_added_twice(client: PortalClient, device: SoftAuthenticator) -> None:
    enter(client, device)
    page = client.page("/account/factors/passkeys")
    options = options_on(page)
    assert [one["id"] for one in options["excludeCredentials"]] == [encode(device.credential)]

    assert "added before" in answer(client, page, device.create(options), "Add a passkey", 409).text


def test_another_persons_passkey_is_not_added(
    app: Flask, client: PortalClient, device: SoftAuthenticator
) -> None:
    before = db.session.execute(select(Factor.person_id, Factor.public_key)).all()
    other = another(app)
    make_account("D1002")
    sign_in(other, "D1002")
    page = other.page("/account/factors/passkeys")
    copy = SoftAuthenticator(credential=device.credential)

    refused = answer(other, page, copy.create(options_on(page)), "Add a passkey", 409)

    assert "This passkey was added before." in refused.text
    assert db.session.execute(select(Factor.person_id, Factor.public_key)).all() == before
    assert enter(client, device).h1 == "Your account"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)
PARTS: list[Callable[[Any, Any], dict[str, Any]]] = [
    lambda value, good: {**good, "id": value},
    lambda value, good: {**good, "rawId": value},
    lambda value, good: {**good, "type": value},
    lambda value, good: {**good, "response": value},
    *(
        lambda value, good, name=name: {**good, "response": {**good["response"], name: value}}
        for name in ("clientDataJSON", "authenticatorData", "signature", "userHandle")
    ),
    lambda value, good: {
        **good,
        "response": {**good["response"], "clientDataJSON": encode(json.dumps(value).encode())},
    },
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PARTS), JSON)
def test_whatever_is_sent_instead_of_an_answer_is_refused_in_words(
    change: Callable[[Any, Any], dict[str, Any]], value: Any
) -> None:
    device, party = SoftAuthenticator(user=b"user"), relying_party("http://localhost", "")
    good = json.loads(device.get({"challenge": encode(b"challenge")}))
    sent = json.dumps(change(value, good))
    stored = factors.StoredPasskey("x", b"not a key", 0, b"user")
    with pytest.raises(PasskeyRefusedError):
        factors.check_answer(sent, factors.challenge_of_answer(sent), party, stored)
    with pytest.raises(PasskeyRefusedError):
        factors.check_new_passkey(sent, factors.challenge_of_answer(sent), party)


@pytest.mark.parametrize("sent", ["", "null", "[]", "{", "1", "[" * 9000, "x" * 20_000, '{"id": 1}', "\x00"])
def test_what_is_no_answer_at_all_is_refused(client: PortalClient, sent: str) -> None:
    page = client.page("/sign-in")

    assert REFUSED in answer(client, page, sent, BUTTON).text


def test_base64_of_any_bytes_comes_back() -> None:
    for size in range(70):
        assert decode(encode(bytes(range(size)))) == bytes(range(size))
