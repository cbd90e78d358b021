"""Signing in by SAML with a real provider."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.domain.accounts.models import ProviderIdentity, SignInSession
from portal.platform.db import db
from tests.features.saml.bringing import send
from tests.features.saml.real_idp import metadata_of, run_idp, sign_in_there
from tests.page_reading import PortalClient
from tests.pages.account.browsing import make_account, signed_in
from tests.pages.sign_in.walking import begin

CASES = {
    "in-clear": {},
    "response-signed-too": {"SIGN_RESPONSE": "yes"},
    "encrypted-gcm": {"CIPHER": "gcm"},
    "encrypted-cbc-in-a-signed-response": {"CIPHER": "cbc", "SIGN_RESPONSE": "yes"},
}


@pytest.mark.parametrize("case", CASES)
def test_the_first_sign_in_binds_and_goes_back_to_the_page(
    client: PortalClient, use_idp: Callable[..., Path], tmp_path: Path, case: str
) -> None:
    person = make_account("D1001")
    with run_idp(tmp_path, **CASES[case]) as idp:
        use_idp(metadata_of(idp))
        (tmp_path / "service.xml").write_text(client.get("/saml/metadata").get_data(as_text=True))
        form = sign_in_there(begin(client, "/account"), "jo=D1001")

    answer = client.get(send(client, form).location)

    assert (answer.status_code, answer.location) == (303, "/account"), answer.get_data(as_text=True)
    assert signed_in(client)
    identity = db.session.scalars(select(ProviderIdentity)).one()
    assert (identity.person_id, identity.issuer, identity.subject) == (person, f"{idp}/metadata", "jo")
    assert db.session.scalars(select(SignInSession.method)).one() == "saml"
