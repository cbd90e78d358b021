"""Which passwords are good enough, and how they are set."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import process_time

import pytest
import time_machine
from flask import Flask
from nacl.pwhash import argon2id
from sqlalchemy import select

from portal.domain.accounts import passwords
from portal.domain.accounts.errors import PasswordRefusedError
from portal.domain.accounts.models import Credential, PasswordLink
from portal.platform.db import db
from tests.factories.people import make_person, make_unit
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import OTHER, PASSWORD, another, make_account, sign_in, signed_in

DEAR_TO_LOAD = (
    *("zxcvbn", "cryptography.hazmat.primitives.ciphers.aead", "authlib", "joserfc"),
    *("webauthn", "cbor2", "pyotp", "segno", "pydantic", "scim2_models"),
)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def invite(app: Flask, staff_number: str = "D1001") -> str:
    """The path of the link that the command prints."""
    result = app.test_cli_runner().invoke(args=["accounts", "invite", staff_number])
    assert result.exit_code == 0, result.output
    address = "http://127.0.0.1:8000"
    link = result.output.strip().splitlines()[-1]
    assert link.startswith(f"{address}/set-password/")
    return link.removeprefix(address)


def set_password(client: PortalClient, path: str, password: str = PASSWORD, status: int = 200) -> Page:
    return client.press(client.page(path), "Set password", status, password=password)


@pytest.mark.parametrize(
    "plain",
    [
        "kettle orbit walnut",
        "kettleorbitwalnut",
        "aB3!xK9#qL2$zQ9",
        "всё будет хорошо",
        "kettle orbit " * 9 + "walnut orb",
        "my love of monday coffee",
    ],
)
def test_length_alone_is_enough(plain: str) -> None:
    assert passwords.check_new_password(plain, ["D1001", "Shah", "Priya"]) is None  # raises where it refuses


@pytest.mark.parametrize(
    "plain",
    [
        "password12345678",
        "Password123!Password123!",
        "P@ssw0rd1234P@ssw0rd",
        "passwordpassword",
        "letmeinletmeinletmein",
        "qwertyuiopasdfgh12",
        "123456789012345",
        "aaaaaaaaaaaaaaa",
        "aaaa bbbb cccc dddd",
        "abcabcabcabcabc",
        "12341234 1234 1234",
        "abcdefghijklmnop",
        "zyxwvutsrqponmlk",
        "1qaz2wsx3edc4rfv",
        "a1b2c3d4e5f6g7h8",
        "welcome to the portal",
        "three random words",
        "one two three four five",
        "Summer2026!!Summer",
        "November 2026 winter",
        "jennifer1234567",
        "jennifer1234jennifer",
        "ashley123456789",
        "ashley123456ashley",
        "blink182blink182",
        "               ",
        "!!!!!!!!!!!!!!!!",
    ],
)
def test_what_is_guessed_first_is_refused(plain: str) -> None:
    with pytest.raises(PasswordRefusedError, match="too easy to guess"):
        passwords.check_new_password(plain)


@pytest.mark.parametrize(
    "plain",
    [
        "westshirepolice1",
        "W3stsh1re P0l1ce 1",
        "WestshirePolice2026",
        "Westshire Constabulary 9",
        "PriyaShah2026abc",
        "priya-shah-jennifer",
        "shah.priya.D1001",
        "1001shahpriya1001",
        "d1001 d1001 kettle",
        "oakfield roads 77",
    ],
)
def test_words_of_the_person_and_the_force_do_not_count(plain: str) -> None:
    about = ["D1001", "Shah", "Priya", "p.oakfield@roads.example", "Westshire Police"]
    with pytest.raises(PasswordRefusedError, match="too easy to guess"):
        passwords.check_new_password(plain, about)


@pytest.mark.parametrize("plain", ["jennifer1234", "ashley123456", "aB3!xK9#qL2$"])
def test_twelve_characters_are_too_few(plain: str) -> None:
    with pytest.raises(PasswordRefusedError, match="Password must be 15 characters or more"):
        passwords.check_new_password(plain)


def test_three_random_words_beside_ones_name_are_enough() -> None:
    passwords.check_new_password("priya kettle orbit walnut", ["D1001", "Shah", "Priya"])


@pytest.mark.parametrize(("length", "good"), [(14, False), (15, True), (128, True), (129, False)])
def test_fifteen_to_128_characters(length: int, good: bool) -> None:
    plain = ("kettle orbit walnut zinc " * 6)[:length] if good or length > 128 else "kettleorbitzin"
    if good:
        passwords.check_new_password(plain)
    else:
        with pytest.raises(PasswordRefusedError, match="Password must be"):
            passwords.check_new_password(plain)


@pytest.mark.parametrize("length", [128, 129, 10_000, 1_000_000])
def test_a_long_password_is_judged_quickly(length: int) -> None:
    plain = ("@0$1|5p4" * (length // 8 + 1))[:length]
    begun = process_time()
    passwords.is_weak(plain, ["D1001", "Shah", "Priya", "Westshire Police"])

    assert process_time() - begun < 1


@pytest.mark.slow
def test_a_process_loads_what_is_dear_only_when_it_is_needed() -> None:
    program = (
        f"import sys; import wsgi; NAMES = {DEAR_TO_LOAD}; print([name in sys.modules for name in NAMES])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PORTAL_MODE": "demo"},
    )

    assert done.stdout.strip() == str([False] * len(DEAR_TO_LOAD)), done.stderr


def test_the_same_characters_composed_otherwise_are_the_same_password() -> None:
    kept = passwords.hash_password("caf\u00e9 kettle orbit")

    assert kept.startswith("$argon2id$")
    assert passwords.password_matches(kept, "cafe\u0301 kettle orbit")
    assert not passwords.password_matches(kept, "cafe kettle orbit")
    assert not passwords.password_matches(None, "cafe kettle orbit")


# Of "pässword", by argon2-cffi, as releases before made them: at today's costs, and at others.
SAME_COSTS = (
    "$argon2id$v=19$m=7168,t=5,p=1$y0vkkFfOIeoaVTbATYE6qA$aJNvY8/Q6DuonnEXdOcLn6zJUcCJN/xbSLVS+eeENbk"
)
OTHER_COSTS = [
    "$argon2id$v=19$m=19456,t=2,p=1$fYsVrB4/bhqJP/RX+9PGVg$xznLLqbUd+9T5rogfVbR16GRQQ7LH6B5T6Qo9s132O0",
    "$argon2id$v=19$m=65536,t=3,p=4$43InHn+DLZy65cxBFCT6yA$dEg5wr368K2Tk0wRf2fyIePYoPkoQe5Q+u9fpcjDnxU",
]


@pytest.mark.parametrize("kept", [SAME_COSTS, *OTHER_COSTS])
def test_a_hash_of_releases_before_is_still_checked(kept: str) -> None:
    assert passwords.password_matches(kept, "pässword")
    assert not passwords.password_matches(kept, "password")


@pytest.mark.usefixtures("real_passwords")
def test_a_hash_is_renewed_where_its_costs_are_others() -> None:
    assert passwords.renewed_hash(SAME_COSTS, "pässword") is None
    for kept in OTHER_COSTS:
        renewed = passwords.renewed_hash(kept, "pässword")
        assert renewed is not None
        assert renewed.startswith("$argon2id$v=19$m=7168,t=5,p=1$")
        assert passwords.password_matches(renewed, "pässword")


@pytest.mark.parametrize("kept", ["", "x" * 200, "$argon2id$v=19$m=7168,t=5,p=1$", "pässword"])
def test_nothing_matches_what_is_no_hash(kept: str) -> None:
    assert not passwords.password_matches(kept, "pässword")


def test_a_link_sets_the_first_password_once(app: Flask, client: PortalClient) -> None:
    make_person(make_unit("Response"), staff_number="D1001")
    path = invite(app)

    page = set_password(client, path)

    assert page.h1 == "Sign in"
    assert "Your password is set" in page.text
    assert client.page(path, 404).h1 == "This link no longer works"
    sign_in(client, path="/sign-in?next=/account")
    assert signed_in(client)


def test_a_page_opened_from_a_link_before_it_was_used_does_not_set_again(
    app: Flask, client: PortalClient
) -> None:
    make_person(make_unit("Response"), staff_number="D1001")
    path, late = invite(app), another(app)
    page = late.page(path)
    set_password(client, path)

    spent = late.press(page, "Set password", 404, password=OTHER)

    assert spent.h1 == "This link no longer works"
    sign_in(client, path="/sign-in?next=/account")
    assert signed_in(client)


def test_a_link_lasts_24_hours(frozen: time_machine.Traveller, app: Flask, client: PortalClient) -> None:
    make_person(make_unit("Response"), staff_number="D1001")
    path = invite(app)
    frozen.shift(timedelta(hours=23, minutes=59))
    assert client.page(path).h1 == "Set your password"

    frozen.shift(timedelta(minutes=1))

    assert client.page(path, 404).h1 == "This link no longer works"


def test_a_newer_link_replaces_the_older(app: Flask, client: PortalClient) -> None:
    make_person(make_unit("Response"), staff_number="D1001")
    older, newer = invite(app), invite(app)

    client.page(older, 404)

    assert client.page(newer).h1 == "Set your password"


def test_a_refused_password_leaves_the_link_good(app: Flask, client: PortalClient) -> None:
    make_person(make_unit("Response"), staff_number="D1001")
    path = invite(app)

    page = set_password(client, path, "password12345678")

    assert page.title.startswith("Error: Set your password")
    assert any(text.startswith("Password is too easy to guess") for text in page.links)
    assert "password12345678" not in page.html
    assert set_password(client, path).h1 == "Sign in"


def test_the_database_holds_neither_token_nor_password(app: Flask, client: PortalClient) -> None:
    make_person(make_unit("Response"), staff_number="D1001")
    path = invite(app)
    set_password(client, path)

    token = path.rsplit("/", 1)[1]
    assert db.session.scalar(select(PasswordLink.token_hash)) != token
    assert (db.session.scalar(select(Credential.password_hash)) or "").startswith("$argon2id$")


def test_a_reset_ends_every_session(app: Flask, client: PortalClient) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")

    set_password(another(app), invite(app), OTHER)

    assert not signed_in(client)
    assert "is not right" in sign_in(another(app)).text


def test_changing_ones_password_ends_the_other_sessions(app: Flask, client: PortalClient) -> None:
    make_account()
    elsewhere = another(app)
    for browser in (client, elsewhere):
        sign_in(browser, path="/sign-in?next=/account")
    before = client.get_cookie("portal")

    done = client.press(client.page("/account/password"), "Change password", current=PASSWORD, password=OTHER)

    assert done.h1 == "Your account"
    assert signed_in(client)
    assert not signed_in(elsewhere)
    after = client.get_cookie("portal")
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_the_current_password_is_asked_and_guesses_at_it_are_throttled(client: PortalClient) -> None:
    make_account()
    sign_in(client, path="/sign-in?next=/account")
    for _ in range(5):
        page = client.press(
            client.page("/account/password"), "Change password", current=OTHER, password=OTHER
        )
        assert page.links["The current password is not right"] == "#current"

    client.press(client.page("/account/password"), "Change password", 429, current=PASSWORD, password=OTHER)


def test_an_unknown_staff_number_is_an_error_of_the_command(app: Flask, database: None) -> None:
    result = app.test_cli_runner().invoke(args=["accounts", "invite", "X1"])

    assert result.exit_code == 1
    assert "Nobody has the staff number X1" in result.output


def test_a_process_hashes_one_password_at_a_time(monkeypatch):
    under_way, most = [], []

    def verify(_stored: bytes, _plain: bytes) -> bool:
        under_way.append(1)
        most.append(len(under_way))
        time.sleep(0.005)
        under_way.pop()
        return True

    monkeypatch.setattr(argon2id, "verify", verify)
    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(lambda _: passwords.password_matches("stored", PASSWORD), range(16)))

    assert outcomes == [True] * 16
    assert set(most) == {1}
