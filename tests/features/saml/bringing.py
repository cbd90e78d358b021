"""Bringing a response to the portal as a browser does: from another site, without cookies, then with them."""

import base64
from urllib.parse import urlsplit

from werkzeug.test import TestResponse

from tests.features.saml.hostile_idp import HostileIdp, request_of
from tests.page_reading import Page, PortalClient
from tests.pages.sign_in.walking import begin

FROM_ELSEWHERE = {
    "Origin": "https://idp.westshire.example",
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
}


def bring(client: PortalClient, document: str | bytes, relay_state: str) -> TestResponse:
    """What the portal answers to the form of the provider's page, to which no cookie comes."""
    content = document.encode() if isinstance(document, str) else document
    return send(client, {"SAMLResponse": base64.b64encode(content).decode(), "RelayState": relay_state})


def send(client: PortalClient, form: dict[str, str]) -> TestResponse:
    """The same, of a form as the provider's page has it."""
    elsewhere = client.application.test_client(use_cookies=False)
    answer = elsewhere.post("/saml/acs", data=form, headers=FROM_ELSEWHERE)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert "Set-Cookie" not in answer.headers
    assert urlsplit(answer.location).path == "/sign-in/saml/answer"
    return answer


def bring_and_follow(client: PortalClient, document: str | bytes, relay_state: str) -> TestResponse:
    """The page to which the browser is redirected, with its cookies."""
    return client.get(bring(client, document, relay_state).location)


def enter(client: PortalClient, idp: HostileIdp, next_page: str = "") -> TestResponse:
    """Sign in from the page to the end, as the provider says; the last answer."""
    request_id, relay_state = request_of(begin(client, next_page))
    return bring_and_follow(client, idp.signed_response(request_id), relay_state)


def enter_page(client: PortalClient, idp: HostileIdp, status: int = 403) -> Page:
    """The page that refuses this sign-in."""
    answer = enter(client, idp)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return Page(answer, "/sign-in/saml/answer")
