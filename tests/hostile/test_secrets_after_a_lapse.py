"""A form that arrives after its session lapsed is kept without its secrets, and sealed."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select
from wtforms import Form, PasswordField

import portal
from config import Config
from portal.app import create_app
from portal.domain.accounts import sign_in as accounts_sign_in
from portal.domain.accounts.models import HeldForm
from portal.domain.accounts.tokens import decrypt_form, encrypt_form, hash_token, new_token
from portal.domain.people.queries import person_by_staff_number
from portal.pages.account.views import NewPasswordForm
from portal.pages.layout.access import permission_of, public, scopes_of
from portal.pages.layout.bearer import is_anonymous_view
from portal.pages.layout.forms import SecretField, any_is_secret, takes_secret, view_takes_secret
from portal.platform.backups.copies import backup
from portal.platform.db import db, transaction
from tests.conftest import SECRET
from tests.databases import portal_on
from tests.examples import few_or_many
from tests.page_reading import PortalClient
from tests.pages.account.browsing import FORM, PASSWORD, open_form, send_form, sign_in
from tests.running import copied

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TYPED = "lantern pebble sixteen"
TOLD = "The portal never keeps passwords or codes: sign in, then enter them again."
NAMES = ("password", "new_password", "code", "recovery_code", "otp", "api_token", "client_secret", "pin")


@pytest.fixture
def frozen() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


def forms_kept() -> int:
    return db.session.scalar(select(func.count()).select_from(HeldForm)) or 0


def forms() -> list[type[Form]]:
    """Every form of the portal, of every module that there is."""
    for module in pkgutil.walk_packages(portal.__path__, "portal."):
        importlib.import_module(module.name)

    def below(kind: type[Form]) -> Iterator[type[Form]]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    return [kind for kind in below(Form) if kind.__module__.startswith("portal.")]


def test_every_field_of_a_secret_is_one_that_its_view_must_declare(app: Flask) -> None:
    secrets = []
    for kind in forms():
        for name, field in ((name, getattr(kind, name)) for name in dir(kind)):
            made = getattr(field, "field_class", None)
            if made is not None and (issubclass(made, PasswordField) or any_is_secret([name])):
                secrets.append(f"{kind.__name__}.{name}")
                assert issubclass(made, SecretField), f"{secrets[-1]} is to be a SecretField"

    assert len(secrets) >= 5, secrets


def test_a_view_that_does_not_declare_it_cannot_show_the_form(app: Flask) -> None:
    made = create_app(app.config["PORTAL"])
    for name, view in (("forgot", public(lambda: str(NewPasswordForm()))),):
        made.add_url_rule(f"/{name}", name, view)
    declared = takes_secret(public(lambda: str(NewPasswordForm())))
    made.add_url_rule("/declared", "declared", declared)
    made.config["PROPAGATE_EXCEPTIONS"] = True

    assert made.test_client().get("/declared").status_code == 200
    with pytest.raises(RuntimeError, match="declare @takes_secret"):
        made.test_client().get("/forgot")


def addresses(app: Flask) -> Iterator[tuple[str, str]]:
    """The endpoint and an address of every route that a signed-in person posts to."""
    adapter = app.url_map.bind("localhost")
    made = {"UUIDConverter": "00000000-0000-0000-0000-000000000000", "GuideKey": "_guides/a"}
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        own = not scopes_of(view) and permission_of(view) is not None
        if "POST" in (rule.methods or ()) and own:
            values = dict.fromkeys(rule.arguments, "1")
            for name, converter in rule._converters.items():
                values[name] = min(getattr(converter, "items", [made.get(type(converter).__name__, "1")]))
            values |= rule.defaults or {}
            yield rule.endpoint, adapter.build(rule.endpoint, values, method="POST")


@pytest.mark.slow
def test_no_route_keeps_a_secret_over_a_lapse(
    frozen: time_machine.Traveller, app: Flask, client: PortalClient
) -> None:
    token = open_form(client).form_with("Grant role").fields["csrf_token"]
    frozen.shift(timedelta(hours=2))
    routes = list(addresses(app))

    for number, (endpoint, address) in enumerate(routes):
        takes_one = view_takes_secret(app.view_functions[endpoint])
        some = (NAMES * 2)[number % len(NAMES) :][: few_or_many(3, len(NAMES))]  # others at the next route
        for name in ("current",) if takes_one else some:
            answer = client.post(address, data={"csrf_token": token, "note": "kept", name: TYPED})
            assert answer.status_code == 303, address
            assert answer.location.startswith("/sign-in"), address
            assert forms_kept() == 0, f"{address} keeps {name}"

    assert len(routes) > 50
    assert TOLD in client.page("/sign-in").text


@pytest.mark.slow
def test_every_other_form_is_kept(frozen: time_machine.Traveller, app: Flask, client: PortalClient) -> None:
    token = open_form(client).form_with("Grant role").fields["csrf_token"]
    person = person_by_staff_number("D1001")
    frozen.shift(timedelta(hours=2))
    for endpoint, address in addresses(app):
        if not view_takes_secret(app.view_functions[endpoint]):
            client.post(address, data={"csrf_token": token, "comment": "some words", "postcode": "WS1"})
            kept = 0 if is_anonymous_view(app.view_functions[endpoint]) else 1
            assert forms_kept() == kept, address
            with transaction():
                accounts_sign_in.delete_forms_of_person(person)


def test_the_person_is_told_and_comes_back_to_the_form(
    frozen: time_machine.Traveller, client: PortalClient
) -> None:
    open_form(client)
    page = client.page("/account/password")
    frozen.shift(timedelta(hours=2))

    asked = client.press(page, "Change password", current=PASSWORD, password=TYPED)

    assert asked.h1 == "Sign in"
    assert TOLD in asked.text
    assert TYPED not in asked.html
    assert client.press(asked, "Sign in", name="D1001", password=PASSWORD).h1 == "Change your password"
    assert forms_kept() == 0


@pytest.fixture
def own(migrated: Path, tmp_path: Path) -> Iterator[Flask]:
    """A portal on a file of the test's own, with what is committed."""
    instance = copied(migrated, tmp_path / "instance")
    with portal_on(Config(mode="demo", secret_key=SECRET, instance=instance)) as made, made.app_context():
        yield made


@pytest.mark.slow
def test_neither_the_database_file_nor_a_backup_holds_what_was_sent(
    own: Flask, frozen: time_machine.Traveller, tmp_path: Path
) -> None:
    client = PortalClient(own)
    grant = open_form(client)
    change = client.page("/account/password")
    frozen.shift(timedelta(hours=2))
    client.press(change, "Change password", current=PASSWORD, password=TYPED)
    send_form(client, grant, note="the words of an officer")
    assert forms_kept() == 1
    backup(tmp_path / "backup.sqlite")

    for file in [*(tmp_path / "instance").glob("portal.sqlite*"), tmp_path / "backup.sqlite"]:
        content = file.read_bytes()
        for words in (
            TYPED,
            PASSWORD,
            "the words of an officer",
            "officer",
            "role=publisher",
            f"{FORM}/grants",
        ):
            assert words.encode() not in content, f"{file.name} holds {words!r}"
            assert words.replace(" ", "+").encode() not in content, f"{file.name} holds {words!r}"
    kept = sign_in(client)
    assert kept.form_with("Continue").fields["note"] == ["the words of an officer"]


@pytest.mark.slow
def test_a_copy_of_the_database_opens_no_form_without_the_browsers_cookie(
    own: Flask, frozen: time_machine.Traveller
) -> None:
    client = PortalClient(own)
    grant = open_form(client)
    frozen.shift(timedelta(hours=2))
    send_form(client, grant)
    row = db.session.scalars(select(HeldForm)).one()

    cookie = client.get_cookie("portal-kept")
    assert cookie is not None
    assert cookie.value not in (row.token_hash, row.sealed.hex())
    for guess in (row.token_hash, SECRET, new_token()):
        assert decrypt_form(guess, row.person_id, row.sealed) is None
    assert decrypt_form(cookie.value, row.person_id + 1, row.sealed) is None
    assert decrypt_form(cookie.value, row.person_id, row.sealed[:-1] + b"\x00\x00") is None
    assert decrypt_form(cookie.value, row.person_id, row.sealed) is not None


def test_two_forms_that_are_alike_are_sealed_differently() -> None:
    first, second = (encrypt_form(token, 1, "/a", "b=c") for token in (new_token(), new_token()))

    assert first[12:] != second[12:]
    assert hash_token("a") != hash_token("b")
