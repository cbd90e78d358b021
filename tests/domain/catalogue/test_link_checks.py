"""Links of published texts to the web: asked only where that is safe, and shown to authors if broken."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import insert

from portal.domain.catalogue import upkeep
from portal.domain.catalogue.models import Lesson, LinkCheck
from portal.domain.catalogue.upkeep import (
    find_fault,
    find_faults,
    list_broken_links,
    list_linked_addresses,
    save_checks,
)
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.outbound import OutboundPolicy
from tests.factories.catalogue import make_version
from tests.pages.authoring.desk import make_person_with, signed_in_client

LOOPBACK = OutboundPolicy((ip_network("127.0.0.0/8"),))


class Site(BaseHTTPRequestHandler):
    """/gone is missing; others lead on: to a page, a private one, themselves, or what is no address."""

    def do_HEAD(self) -> None:
        leads = {
            "/moved": "/there",
            "/inside": "https://10.0.0.1/",
            "/round": "/round",
            "/malformed": "https://[bad",
        }
        missing = {"/gone": 404, "/no-head": 405 if self.command == "HEAD" else 200}
        self.send_response(301 if self.path in leads else missing.get(self.path, 200))
        if self.path in leads:
            self.send_header("Location", leads[self.path])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        self.do_HEAD()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """A site on this machine; its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    server.daemon_threads = True
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        ("/there", None),
        ("/moved", None),
        ("/no-head", None),
        ("/gone", "The page answers 404."),
        ("/inside", "It is not a public address with https, so the portal does not ask."),
        ("/round", "It gave no answer that can be read."),
        ("/malformed", "It gave no answer that can be read."),
    ],
)
def test_a_page_is_there_or_it_is_said_why_not(site, path, fault):
    assert find_fault(f"{site}{path}", LOOPBACK) == fault


@pytest.mark.parametrize(
    "address",
    ["https://127.0.0.1/", "https://10.1.2.3/", "https://[::1]/", "http://a.example/", "https://me@a.b/"],
)
def test_no_private_address_is_asked(address):
    assert find_fault(address, OutboundPolicy()) == (
        "It is not a public address with https, so the portal does not ask."
    )


def test_authors_see_which_text_has_a_broken_link(app, database, site):
    version = make_version()
    links = "".join(f'<a href="{site}{path}">x</a>' for path in ("/there", "/gone#part", "/gone"))
    with transaction():
        db.session.add(
            Lesson(
                module_version_id=version,
                position=9,
                key="links",
                title="With links",
                minutes=1,
                outcomes=[],
                html=links,
                words=3,
            )
        )

    faults = find_faults(list_linked_addresses(), LOOPBACK)
    with transaction():
        save_checks(faults, clock.now())

    assert faults == {f"{site}/there": None, f"{site}/gone": "The page answers 404."}
    assert [broken.link.page for broken in list_broken_links()] == ["/learning/modules/protect/lessons/links"]
    make_person_with("D3001", "author")
    page = signed_in_client(app, "D3001").page("/authoring/_reviews")
    assert f"{site}/gone: The page answers 404." in page.text
    assert "With links, Protect: law & people" in page.links


def test_it_is_off_unless_it_is_turned_on_and_then_weekly(database, monkeypatch):
    now = clock.now()
    assert not upkeep.is_check_due(now)
    monkeypatch.setattr(upkeep, "current_settings", lambda: SimpleNamespace(link_check="on"))
    assert upkeep.is_check_due(now)
    with transaction():
        row = {"address": "https://a.example/", "checked_at": now, "fault": None}
        db.session.execute(insert(LinkCheck).values(row))

    assert not upkeep.is_check_due(now + upkeep.EVERY / 2)
    assert upkeep.is_check_due(now + upkeep.EVERY)


def test_one_page_keeps_no_other_from_being_asked(database, site, monkeypatch):
    def find_or_fail(address, policy):
        if address.endswith("/poison"):
            raise KeyError(address)
        return find_fault(address, policy)

    monkeypatch.setattr(upkeep, "find_fault", find_or_fail)
    asked = [f"{site}/{name}" for name in ("there", "malformed", "poison", "gone")]

    assert list(find_faults([*asked, "https://[bad"], LOOPBACK).values()) == [
        None,
        "It gave no answer that can be read.",
        upkeep.UNEXPECTED,
        "The page answers 404.",
        "It is not a public address with https, so the portal does not ask.",
    ]
