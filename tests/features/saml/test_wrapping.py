"""A signed assertion that was moved, copied or wrapped signs nobody in."""

import re
import subprocess

import pytest
from sqlalchemy import func, select

from portal.domain.accounts.models import ProviderIdentity, SignInSession
from portal.features.saml import provider
from portal.features.saml.keys import read_public_key
from portal.platform.db import db
from portal.platform.openid.claims import TokenRefusedError
from tests.features.saml.bringing import bring_and_follow
from tests.features.saml.hostile_idp import SAML, SAMLP, HostileIdp, request_of
from tests.features.saml.wrapping import WRAPPINGS, Parts
from tests.logged import Log
from tests.page_reading import Page, PortalClient
from tests.pages.account.browsing import make_account, signed_in
from tests.pages.sign_in.walking import begin


def wrapped(idp: HostileIdp, wrapping: str, request_id: str) -> str:
    """A response that the provider signed, wrapped in this way."""
    is_response = wrapping < "xsw3"
    return WRAPPINGS[wrapping](Parts.of(idp.signed_response(request_id, also_response=is_response)))


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_wrapped_signature_signs_nobody_in(
    client: PortalClient, trusted: HostileIdp, wrapping: str, log: Log
) -> None:
    make_account("D1002")
    request_id, relay_state = request_of(begin(client, "/account"))
    document = wrapped(trusted, wrapping, request_id)
    # In the others what was signed lies inside the signature, and xmlsec1 leaves that out before it compares.
    assert is_signed_for_a_careless_reader(trusted, document) == (
        wrapping[:4] not in {"xsw1", "xsw6", "xsw8"}
    )

    page = Page(bring_and_follow(client, document, relay_state), "/sign-in/saml/answer")

    assert page.status == 400
    assert "could not be checked" in page.text
    assert not signed_in(client)
    for table in (ProviderIdentity, SignInSession):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    assert [line["reason"] for line in log.lines("sign_in.refused_by_provider")] == ["number_of_assertions"]


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_what_is_read_is_what_the_provider_signed_even_if_the_shape_were_not_checked(
    database: None, hostile: HostileIdp, wrapping: str
) -> None:
    document = wrapped(hostile, wrapping, "_request")
    keys = [read_public_key(hostile.pair.stated)]

    for element_id in re.findall(r'<saml:Assertion [^>]*ID="(\w+)"', document):
        try:
            signed = provider.read_signed(document.encode(), "Assertion", element_id, keys)
        except TokenRefusedError:
            continue
        assert b"D1001" in signed
        assert b"D1002" not in signed


def is_signed_for_a_careless_reader(idp: HostileIdp, document: str) -> bool:
    """Whether xmlsec1 alone finds a right signature in the document."""
    certificate = idp.pair.write(idp.folder, "careless")[1]
    (file := idp.folder / "wrapped.xml").write_text(document)
    ids = [word for each in (f"{SAML}:Assertion", f"{SAMLP}:Response") for word in ("--id-attr:ID", each)]
    command = ["xmlsec1", "--verify", "--pubkey-cert-pem", str(certificate), *ids, str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
