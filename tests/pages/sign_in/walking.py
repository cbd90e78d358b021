"""Signing in with a provider as a browser does it: to the provider, through its page, and back."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests
from werkzeug.test import TestResponse

from tests.page_reading import Page, PortalClient
from tests.running import ROOT

if TYPE_CHECKING:
    from tests.pages.sign_in.hostile_provider import HostileProvider

PORTAL = "http://127.0.0.1:8000"
CLIENT_ID, CLIENT_SECRET = "learning-portal", "5f0c-secret-of-tests"


@contextmanager
def run_provider(portal: str, port: int = 0, **more: str) -> Iterator[str]:
    """Run the provider of the demo for the portal at this address; yields its issuer."""
    environment = {
        "PATH": os.environ["PATH"],
        "PROVIDER_PORT": str(port),
        "PORTAL_ADDRESS": portal,
        "OIDC_CLIENT_ID": CLIENT_ID,
        "OIDC_CLIENT_SECRET": CLIENT_SECRET,
        **more,
    }
    node, script = shutil.which("node") or "node", ROOT / "portal/demo/sign_in_provider.mjs"
    with subprocess.Popen(
        [node, script],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.kill()


@dataclass
class RealProvider:
    """The provider at its address, in the eyes of one browser."""

    issuer: str

    def walk(
        self, address: str, name: str, browser: requests.Session | None = None, act: str = "sign-in"
    ) -> str:
        """From the address of a sign-in, as this person, to the portal's own address with the answer."""
        browser = browser or requests.Session()
        while not address.startswith(PORTAL):
            answer = browser.get(address, allow_redirects=False, timeout=10)
            if not answer.is_redirect:
                assert answer.status_code == 200, answer.text
                answer = browser.post(
                    address, data={"name": name, "act": act}, allow_redirects=False, timeout=10
                )
            address = urljoin(address, answer.headers["Location"])
        return address


def begin(client: PortalClient, next_page: str = "") -> str:
    """Press the button of the sign-in page; returns the address at the provider."""
    page = client.page(f"/sign-in?next={next_page}" if next_page else "/sign-in")
    link = next(href for words, href in page.links.items() if words.startswith("Sign in with"))
    answer = client.get(link)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def come_back(client: PortalClient, address: str) -> TestResponse:
    """Follow the provider's redirect to the portal."""
    return client.get(re.sub(rf"^{PORTAL}", "", address))


def enter(client: PortalClient, provider: "HostileProvider", next_page: str = "") -> TestResponse:
    """Sign in from the page to the end, as the provider's claims say; the last answer."""
    return come_back(client, provider.answer_to(begin(client, next_page)))


def enter_page(client: PortalClient, provider: "HostileProvider", status: int = 403) -> Page:
    """The page that refuses this sign-in."""
    answer = enter(client, provider)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return Page(answer, "/sign-in/oidc/callback")
