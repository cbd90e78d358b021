"""Answers of real providers and second factors, sent many times at once, mixed up and changed.

The OpenID provider and the first SAML provider are libraries run by Node; signatures are checked by xmlsec1.
"""

import random
import re
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.domain.accounts import factors
from portal.domain.accounts.models import ProviderIdentity, SignInSession
from portal.platform import clock
from portal.platform.db import db, transaction
from portal.platform.permissions import Role
from tests.domain.accounts.factors.making import add_codes, code_of
from tests.factories.people import make_grant
from tests.features.saml import conftest as saml_providers
from tests.features.saml.bringing import FROM_ELSEWHERE, bring_and_follow
from tests.features.saml.hostile_idp import HostileIdp, request_of
from tests.features.saml.real_idp import metadata_of, run_idp, sign_in_there
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import another, make_account, signed_in
from tests.pages.sign_in import conftest as providers
from tests.pages.sign_in.second_factors import pass_password, set_factor
from tests.pages.sign_in.walking import RealProvider, begin, come_back
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow
real_provider, use_provider = providers.real_provider, providers.use_provider
use_idp, hostile, trusted = saml_providers.use_idp, saml_providers.hostile, saml_providers.trusted
AT_ONCE = 16


def count(model: type) -> int:
    return db.session.scalar(select(func.count()).select_from(model)) or 0


def send_at_once(app: Flask, client: PortalClient, send: Callable) -> Counter[str]:
    """Where as many windows of one browser were led when all sent together."""
    gate, led = threading.Barrier(AT_ONCE, timeout=PATIENCE), Counter[str]()

    def press() -> None:
        window = app.test_client()
        window._cookies = dict(client._cookies)
        gate.wait()
        answer = send(window)
        led[answer.location or str(answer.status_code)] += 1

    threads = [threading.Thread(target=press) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return led


class TestManyWindowsAtOnce:
    """With threads, as the portal serves: which of them comes first is the database's to say."""

    @pytest.fixture
    def app(self, serving: Flask) -> Flask:
        return serving

    def test_of_one_answer_of_openid_sent_at_once_one_signs_in(self, serving, real_provider, use_provider):
        make_account("D1001")
        use_provider(real_provider.issuer)
        client = PortalClient(serving)
        address = urlsplit(real_provider.walk(begin(client, "/account"), "jo=D1001"))

        led = send_at_once(serving, client, lambda window: window.get(f"{address.path}?{address.query}"))

        assert led["/account"] == 1
        assert set(led) <= {"/account", "400", "/"}
        assert (count(SignInSession), count(ProviderIdentity)) == (1, 1)

    def test_of_one_response_of_saml_sent_at_once_one_signs_in(self, serving, use_idp, tmp_path: Path):
        make_account("D1001")
        client = PortalClient(serving)
        with run_idp(tmp_path) as idp:
            use_idp(metadata_of(idp))
            (tmp_path / "service.xml").write_text(client.get("/saml/metadata").get_data(as_text=True))
            form = sign_in_there(begin(client, "/account"), "jo=D1001")

        brought = send_at_once(
            serving,
            PortalClient(serving),
            lambda window: window.post("/saml/acs", data=form, headers=FROM_ELSEWHERE),
        )
        (right,) = [location for location in brought if "token=" in location]
        led = send_at_once(serving, client, lambda window: window.get(right))

        assert brought[right] == 1
        assert led["/account"] == 1
        assert (count(SignInSession), count(ProviderIdentity)) == (1, 1)


def pollute(query: str, other: str) -> dict[str, str]:
    """Queries made of one's own answer and the attacker's."""
    own, foreign = dict(parse_qsl(query)), dict(parse_qsl(other))
    return {
        "the attacker's answer": other,
        "the attacker's code": urlencode(own | {"code": foreign["code"]}),
        "the attacker's state": urlencode(own | {"state": foreign["state"]}),
        "both codes, own first": f"{query}&{urlencode({'code': foreign['code']})}",
        "both codes, own last": f"{urlencode({'code': foreign['code']})}&{query}",
        "both states, own first": f"{query}&{urlencode({'state': foreign['state']})}",
        "both states, own last": f"{urlencode({'state': foreign['state']})}&{query}",
        "a list of codes": urlencode([("code[]", own["code"]), ("state", own["state"])]),
        "capitals": urlencode({name.upper(): value for name, value in own.items()}),
        "an error beside the code": f"{query}&error=access_denied",
        "a fragment's answer": urlencode({"access_token": own["code"], "state": own["state"]}),
        "a longer code": urlencode(own | {"code": own["code"] + "x"}),
        "no issuer": urlencode({name: value for name, value in own.items() if name != "iss"}),
        "another issuer": urlencode(own | {"iss": "http://127.0.0.1:9"}),
    }


def press_everywhere(pages: list[tuple[PortalClient, Page]], button: str, **fields: str) -> int:
    """In how many of these browsers somebody is signed in when all press the button at once."""
    gate = threading.Barrier(len(pages), timeout=PATIENCE)

    def press(client: PortalClient, page: Page) -> None:
        form, window = page.form_with(button), client.application.test_client()
        window._cookies = client._cookies
        gate.wait()
        window.post(form.action, data={**form.fields, **fields})

    threads = [threading.Thread(target=press, args=pair) for pair in pages]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(signed_in(client) for client, _ in pages)


@pytest.mark.parametrize("kind", ["a code of a device", "a recovery code"])
def test_a_second_factor_sent_from_many_browsers_at_once_signs_one_in(serving: Flask, monkeypatch, kind):
    person = make_account("D1001")
    make_grant(person, Role.ADMINISTRATOR)
    set_factor(serving, monkeypatch, "required")
    secret = add_codes(person)
    with transaction():
        recovery = factors.replace_codes(person, serving.config["SECRET_KEY"], clock.now())[0]
    browsers = [another(serving) for _ in range(8)]
    pages = [(browser, pass_password(browser)) for browser in browsers]

    code = code_of(secret) if kind == "a code of a device" else recovery
    assert press_everywhere(pages, "Continue", code=code) == 1
    assert count(SignInSession) == 1


OWN_COUNTS = {"both codes, own first", "both states, own first"}  # of two values the first is read


def test_answers_of_a_real_provider_mixed_with_an_attackers_sign_nobody_else_in(
    app: Flask, database, real_provider: RealProvider, use_provider
):
    make_account("D1001")
    make_account("D1002")
    use_provider(real_provider.issuer)
    cases = list(pollute("code=a&state=b", "code=c&state=d"))
    for case in cases:
        victim, attacker = another(app), another(app)
        query = urlsplit(real_provider.walk(begin(victim), "jo=D1001")).query
        other = urlsplit(real_provider.walk(begin(attacker), "eve=D1002")).query
        answer = victim.get(f"/sign-in/oidc/callback?{pollute(query, other)[case]}")
        assert answer.status_code == (303 if case in OWN_COUNTS else 400), case
        assert signed_in(victim) == (case in OWN_COUNTS), case

    assert db.session.scalars(select(ProviderIdentity.subject)).all() == ["jo"]


def test_a_response_changed_in_one_place_signs_nobody_else_in(
    app: Flask, client: PortalClient, trusted: HostileIdp
):
    make_account("D1002")
    chance, led = random.Random(39), Counter[bool]()
    for _ in range(60):
        window = another(app)
        request_id, relay_state = request_of(begin(window))
        document = trusted.signed_response(request_id)
        assertion = re.search(r"<saml:Assertion.*</saml:Assertion>", document, re.DOTALL)
        assert assertion
        at = chance.randrange(assertion.start(), assertion.end())
        new = chance.choice("aA0 <>&\"'/=!-\n\t\u200b") if chance.random() < 0.7 else "<!--x-->"
        if document[at] != new:
            changed = document[:at] + new + document[at + 1 :]
            bring_and_follow(window, changed, relay_state)
            led[signed_in(window)] += 1

    assert led[False] > 40
    assert led[True] <= led[False] / 8  # what canonical XML holds to be the same: white space within a tag
    for subject in db.session.scalars(select(ProviderIdentity.subject)):
        assert subject == "jo"


def test_an_honest_answer_beside_them_signs_in(client, database, real_provider, use_provider):
    make_account("D1001")
    use_provider(real_provider.issuer)

    assert come_back(client, real_provider.walk(begin(client), "jo=D1001")).status_code == 303
