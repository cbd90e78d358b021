"""What the provider's metadata says decides whom the portal believes; a changed file is read at once."""

import os
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree.ElementTree import fromstring

import pytest

from portal.features.saml.metadata import MetadataError, md, read_metadata
from portal.features.saml.provider import SamlProvider
from portal.platform import clock
from portal.platform.openid.claims import ProviderUnavailableError
from tests.features.saml.hostile_idp import ACS, AUDIENCE, SSO, HostileIdp
from tests.features.saml.keys import make_pair
from tests.features.saml.responses.conftest import MakeProvider
from tests.features.saml.responses.reading import read, reason_of


def test_either_certificate_is_believed_while_the_provider_changes_them(
    make_provider: MakeProvider, idp: HostileIdp
) -> None:
    older, newer = make_pair("first"), make_pair("second")
    provider = make_provider(idp.metadata(older, newer))

    for idp.pair in (older, newer):
        assert read(provider, idp.signed_response("_request")).subject.subject == "jo"


def test_a_changed_file_is_read_without_a_restart(
    provider: SamlProvider, idp: HostileIdp, tmp_path: Path
) -> None:
    older, newer = make_pair("first"), make_pair("second")
    read(provider, idp.signed_response("_request"))
    (tmp_path / "idp.xml").write_text(idp.metadata(newer))
    os.utime(tmp_path / "idp.xml", ns=(1, 1))

    idp.pair = newer
    assert read(provider, idp.signed_response("_request")).subject.subject == "jo"
    idp.pair = older
    assert reason_of(provider, idp.signed_response("_request")) == "signature"


def test_a_key_for_encryption_signs_nothing(make_provider: MakeProvider, idp: HostileIdp) -> None:
    both = idp.metadata().replace(
        "<KeyDescriptor",
        idp.metadata(make_pair("second"), use="encryption")
        .partition("<IDPSSODescriptor")[2]
        .partition(">")[2]
        .partition("<SingleSignOnService")[0]
        + "<KeyDescriptor",
        1,
    )
    provider = make_provider(both)

    assert read(provider, idp.signed_response("_request")).subject.subject == "jo"
    idp.pair = make_pair("second")
    assert reason_of(provider, idp.signed_response("_request")) == "signature"


def test_metadata_that_went_away_ran_out_or_is_of_another_is_not_used(
    make_provider: MakeProvider, idp: HostileIdp, tmp_path: Path
) -> None:
    until = (clock.now() + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    provider = make_provider(idp.metadata(more=f' validUntil="{until}"'))
    provider.begin_sign_in(clock.now())

    with pytest.raises(ProviderUnavailableError, match="metadata_out_of_date"):
        provider.begin_sign_in(clock.now() + timedelta(hours=2))
    idp.entity = "https://idp.other.example"
    (tmp_path / "idp.xml").write_text(idp.metadata())
    with pytest.raises(ProviderUnavailableError, match="metadata_of_another_entity"):
        provider.begin_sign_in(clock.now())
    (tmp_path / "idp.xml").unlink()
    with pytest.raises(ProviderUnavailableError, match="metadata_unreadable"):
        provider.begin_sign_in(clock.now())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("<EntityDescriptor", "<!DOCTYPE r><EntityDescriptor", "document type"),
        ("EntityDescriptor", "EntitiesDescriptor", "one entity"),
        ("SAML:2.0:protocol", "SAML:1.1:protocol", "SAML 2.0"),
        ('entityID="', 'name="', "entityID"),
        ("HTTP-Redirect", "HTTP-POST", "HTTP-Redirect"),
        ("https://idp.westshire.example/sso", "http://idp.westshire.example/sso", "not https"),
        ("<ds:X509Certificate>", "<ds:X509Certificate>AAAA", "cannot be read"),
        ("KeyDescriptor", "Other", "no certificate"),
        ("</EntityDescriptor>", "<!--" + "x" * 1_100_000 + "--></EntityDescriptor>", "1 MiB"),
    ],
    ids=["type", "entities", "protocol", "entity", "binding", "http", "certificate", "keys", "large"],
)
def test_metadata_that_cannot_be_used_says_why(
    idp: HostileIdp, tmp_path: Path, old: str, new: str, words: str
) -> None:
    (file := tmp_path / "idp.xml").write_text(idp.metadata().replace(old, new))

    with pytest.raises(MetadataError, match=words):
        read_metadata(str(file))


def test_a_weak_key_is_not_believed(idp: HostileIdp, tmp_path: Path) -> None:
    (file := tmp_path / "idp.xml").write_text(idp.metadata(make_pair("weak", size=1024)))

    with pytest.raises(MetadataError, match="weak"):
        read_metadata(str(file))


def test_the_portal_describes_itself_and_signs_its_requests(provider: SamlProvider) -> None:
    root = fromstring(provider.describe_service())
    role = root.find(md("SPSSODescriptor"))
    assert role is not None
    assert root.get("entityID") == AUDIENCE
    assert (role.get("AuthnRequestsSigned"), role.get("WantAssertionsSigned")) == ("true", "true")
    assert [each.get("Location") for each in role.iter(md("AssertionConsumerService"))] == [ACS]

    address, pending = provider.begin_sign_in(clock.now())
    query = parse_qs(urlsplit(address).query)

    assert address.startswith(f"{SSO}?")
    assert query["RelayState"] == [pending.state]
    assert query["SigAlg"] == ["http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"]
    assert "Signature" in query
