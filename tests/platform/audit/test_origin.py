"""From where an act came: stated once by the edge, never taken from whoever sends it."""

import re
import types

import click
import pytest
from sqlalchemy import select

from portal.domain.people.services import PersonNames, correct_many_names
from portal.pages.layout import proxies
from portal.platform import audit, clock
from portal.platform.audit import AuditEvent, Channel, Origin, log, originating_from
from portal.platform.db import db, transaction
from tests.domain.imports.rosters import run
from tests.pages.account.browsing import let_in, make_account, make_administrator

ID = re.compile(r"[0-9a-f]{16}")
PROXIED = {"X-Forwarded-For": "192.0.2.7", "X-Request-ID": "proxy-7f3a9c0d"}


def newest() -> AuditEvent:
    return db.session.scalars(select(AuditEvent).order_by(AuditEvent.id.desc()).limit(1)).one()


@pytest.fixture
def behind_proxy(app, monkeypatch):
    """The application behind a proxy at the test client's own address, which it trusts."""
    trusted = proxies.parse_networks("127.0.0.1")
    layer = app.wsgi_app
    while not isinstance(layer, proxies.Senders):
        layer = layer.application
    monkeypatch.setattr(layer, "trusted", trusted)


def test_a_request_has_its_address_and_an_id_of_its_own(client):
    make_account()
    let_in(client)
    first = newest()
    answer = client.get("/monitoring")

    refused = newest()

    assert (first.action, first.channel, first.address) == ("account.signed_in", "page", "127.0.0.1")
    assert ID.fullmatch(first.request_id)
    assert refused.request_id == answer.headers["X-Request-ID"] != first.request_id


def test_a_trusted_proxy_gives_address_and_id(client, behind_proxy):
    make_account()
    let_in(client)
    answer = client.get("/monitoring", headers=PROXIED)

    event = newest()

    assert (event.address, event.request_id) == ("192.0.2.7", "proxy-7f3a9c0d")
    assert answer.headers["X-Request-ID"] == "proxy-7f3a9c0d"


def test_nobody_else_gives_an_id(client):
    make_account()
    let_in(client)
    client.get("/monitoring", headers=PROXIED)

    event = newest()

    assert event.address == "127.0.0.1"
    assert ID.fullmatch(event.request_id)


@pytest.mark.parametrize(
    "forged",
    ["short", "x" * 65, "with space inside", "new%0aline", "<script>alert(1)</script>", "naïve-1234567", ""],
    ids=["short", "long", "space", "escaped", "script", "letters", "empty"],
)
def test_an_id_that_could_forge_a_line_is_replaced_even_from_a_proxy(client, behind_proxy, log, forged):
    make_account()
    let_in(client)
    client.get("/monitoring", headers={"X-Request-ID": forged})

    assert ID.fullmatch(newest().request_id)
    assert [line["request"] for line in log.lines("request")] == [newest().request_id]


@pytest.mark.parametrize("text", ["abcdefgh\n", "abcdefgh\r\nx: y", "abc\x00defgh", "abcdefgh "])
def test_no_text_with_a_line_end_or_space_is_an_id(text):
    assert not audit.is_request_id(text)


def test_the_log_and_the_trail_name_a_request_alike(client, log):
    make_account()
    let_in(client)
    client.get("/monitoring")

    (line,) = log.lines("request")
    assert (line["request"], line["status"]) == (newest().request_id, 403)


def test_a_command_states_itself_and_who_signed_in(app, client, monkeypatch):
    make_account()
    monkeypatch.setattr("portal.commands.release.login_name", lambda: "asmith")
    run(app, "accounts", "invite", "D1001")

    event = newest()

    assert (event.action, event.channel, event.agent) == (
        "account.invited", "command", "accounts invite (asmith)"
    )  # fmt: skip
    assert ID.fullmatch(event.request_id)
    assert event.address == ""


def test_every_command_states_its_origin(app):
    """What runs outside of a group of the portal's own writes no audit event."""

    def commands(group, words=()):
        for name, command in group.commands.items():
            if isinstance(command, click.Group):
                yield from commands(command, (*words, name))
            else:
                yield (*words, name), command

    own = [
        (words, command)
        for words, command in commands(app.cli)
        if words[0] not in {"db", "run", "shell", "routes"}
    ]
    unstated = [words for words, command in own if "_state_origin_first" not in _wrappers(command.callback)]

    assert len(own) > 15
    assert unstated == []


def _wrappers(callback):
    names = []
    while callback is not None:
        names.append(getattr(callback, "__code__", None) and callback.__code__.co_qualname.split(".")[0])
        callback = getattr(callback, "__wrapped__", None)
    return names


@pytest.mark.parametrize(
    ("login", "uid", "sudo", "name"),
    [
        ("1000", 0, "", "uid 1000"),
        (str(audit.NO_LOGIN), 0, "1001", "uid 1001"),
        (str(audit.NO_LOGIN), 0, "", "root"),
        (str(audit.NO_LOGIN), 1002, "1001", "uid 1002"),
        ("", 0, "", "root"),
        ("x", 0, "nobody's", "root"),
    ],
    ids=["login", "sudo", "root", "no-trick-without-root", "no-kernel", "no-number"],
)
def test_who_signed_in_to_the_machine_survives_becoming_another(
    monkeypatch, tmp_path, login, uid, sudo, name
):
    file = tmp_path / "loginuid"
    file.write_text(login)
    monkeypatch.setattr(audit, "_LOGIN", file)
    monkeypatch.setattr(audit.os, "getuid", lambda: uid)
    monkeypatch.setattr(audit.pwd, "getpwuid", _accounts)
    monkeypatch.setenv("SUDO_UID", sudo)

    assert audit.login_name() == name


def _accounts(uid):
    if uid:
        raise KeyError(uid)
    return types.SimpleNamespace(pw_name="root")


def test_rows_written_many_at_once_have_their_origin_too(database):
    person = make_account()
    names = PersonNames(person, "D1001", "Newname", "Priya", None)
    with (
        originating_from(Origin(Channel.PAGE, address="192.0.2.7", request_id="many-at-once")),
        transaction(),
    ):
        correct_many_names([names], by=person, at=clock.now())

    assert (newest().action, newest().address) == ("person.names_corrected", "192.0.2.7")


def test_a_token_that_acts_alone_is_named_but_not_the_making_of_one(database):
    person = make_administrator()
    with originating_from(Origin(Channel.PAGE)), transaction():
        log("records.imported", actor_id=None, token="HR feed", recorded=1, held=0)
    acting = newest()
    with originating_from(Origin(Channel.PAGE)), transaction():
        log("token.created", actor_id=person, token="HR feed", scope="read")
    made = newest()

    assert (acting.channel, acting.agent) == ("token", "HR feed")
    assert (made.channel, made.agent) == ("page", "")


def test_what_nobody_stated_stays_empty_after_a_request(client):
    make_account()
    let_in(client)
    with transaction():
        log("module.published", actor_id=None, module="protect", number=1)

    event = newest()

    assert (event.channel, event.address, event.request_id) == ("", "", "")


def test_a_fault_and_a_failed_job_are_failures(app, client, monkeypatch):
    person = make_account()
    let_in(client)
    monkeypatch.setitem(app.config, "TESTING", False)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    monkeypatch.setattr("portal.pages.account.views.render_template", lambda *_, **__: 1 / 0)
    assert client.get("/account").status_code == 500

    event = newest()

    assert (event.action, event.outcome, event.actor_id) == ("request.failed", "failed", person)
    assert event.detail == {"endpoint": "account.show_own_account"}
