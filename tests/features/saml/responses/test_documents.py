"""Documents that would harm their reader are not read; encrypted ones are, where that is safe."""

import base64
import time

import pytest

from portal.features.saml import provider as saml_provider
from portal.features.saml.provider import SamlProvider
from portal.platform.openid.claims import TokenRefusedError
from tests.features.saml.hostile_idp import (
    CBC,
    GCM,
    XENC,
    HostileIdp,
    signature_of,
    signature_placeholder,
)
from tests.features.saml.keys import make_pair
from tests.features.saml.responses.conftest import MakeProvider
from tests.features.saml.responses.reading import read, reason_of

BOMB = "".join(f'<!ENTITY b{n + 1} "{f"&b{n};" * 10}">' for n in range(1, 9))
TYPES = {
    "type": "<!DOCTYPE r>",
    "entity": '<!DOCTYPE r [<!ENTITY a "D1001">]>',
    "entity-bomb": f'<!DOCTYPE r [<!ENTITY b1 "bomb">{BOMB}]>',
    "external-entity": '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>',
    "external-type": '<!DOCTYPE r SYSTEM "http://127.0.0.1:9/x.dtd">',
}


@pytest.mark.parametrize("case", TYPES)
def test_a_document_type_is_refused(provider: SamlProvider, idp: HostileIdp, case: str) -> None:
    document = idp.signed_response("_request").replace("?>\n", f"?>\n{TYPES[case]}", 1)

    assert reason_of(provider, document) == "document_type"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-7", "latin-1"])
def test_a_document_in_another_encoding_is_refused(
    provider: SamlProvider, idp: HostileIdp, encoding: str
) -> None:
    stated = idp.signed_response("_request").replace('version="1.0"', f'version="1.0" encoding="{encoding}"')

    assert reason_of(provider, stated.encode(encoding)) in {"encoding", "no_xml"}


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        ("", "no_xml"),
        ("sign me in", "no_xml"),
        ("<a/>", "no_response"),
        ("<a>" * 100 + "</a>" * 100, "too_deep"),
    ],
    ids=["empty", "words", "other", "deep"],
)
def test_what_is_no_response_is_refused(provider: SamlProvider, document: str, reason: str) -> None:
    assert reason_of(provider, document) == reason


@pytest.mark.parametrize("sent", ["%%%", "A" * 600_000, base64.b64encode(b"<" * 300_000).decode()])
def test_what_is_no_base64_or_too_large_is_refused_before_it_is_parsed(
    provider: SamlProvider, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("portal.features.saml.responses.fromstring", None)

    with pytest.raises(TokenRefusedError, match=r"no_base64|too_large"):
        provider.read_response(sent, None)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "put", ['ID="_assertion"', 'ID="_response" saml:ID="_other"', 'ID="_response" xml:id="_other"'],
    ids=["twice", "of-a-namespace", "of-xml"],
)  # fmt: skip
def test_an_id_that_readers_could_take_for_another_is_refused(
    provider: SamlProvider, idp: HostileIdp, put: str
) -> None:
    document = idp.signed_response("_request").replace('ID="_response"', put)

    assert reason_of(provider, document) == "repeated_id"


def test_a_transform_that_never_ends_is_not_begun(
    provider: SamlProvider, idp: HostileIdp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pysaml2's issue 1035: xmlsec1 carries out a stylesheet before it compares anything."""
    monkeypatch.setattr(saml_provider, "_run_xmlsec", None)
    sheet = (
        '<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform"><x:template name="d">'
        '<x:call-template name="d"/><x:call-template name="d"/></x:template><x:template match="/">'
        '<x:call-template name="d"/></x:template></x:stylesheet>'
    )
    bomb = f'<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">{sheet}</ds:Transform>'
    document = idp.response(idp.assertion("_request", signature_of("_assertion", transforms=bomb)))

    assert reason_of(provider, document) == "transforms"


SERVICE = make_pair("portal").certificate


def test_an_encrypted_assertion_is_read(provider: SamlProvider, idp: HostileIdp) -> None:
    document = idp.encrypt(idp.signed_response("_request"), SERVICE)

    assert "D1001" not in document
    assert read(provider, document).subject.match_value == "D1001"


def signed_around(idp: HostileIdp, cipher: str) -> str:
    """A signed response around an encrypted assertion."""
    inside = idp.sign(idp.response(idp.assertion("_request"), signature_placeholder()))
    encrypted = idp.encrypt(inside, SERVICE, cipher)
    return idp.sign(encrypted.replace(signature_placeholder(), signature_of("_response")), "Response")


@pytest.mark.parametrize("cipher", [GCM, CBC], ids=["gcm", "cbc"])
def test_an_encrypted_assertion_in_a_signed_response_is_read(
    provider: SamlProvider, idp: HostileIdp, cipher: str
) -> None:
    assert read(provider, signed_around(idp, cipher)).subject.match_value == "D1001"


def test_what_anybody_could_have_changed_is_not_decrypted(
    provider: SamlProvider, idp: HostileIdp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AES-CBC without a signature around it tells, by each answer, a little of what was encrypted."""
    signed = signed_around(idp, CBC)
    changed = signed.replace("<xenc:CipherValue>", "<xenc:CipherValue>AAAA")
    monkeypatch.setattr(saml_provider, "decrypt", None)

    assert reason_of(provider, changed) == "signature"
    bare = idp.encrypt(idp.signed_response("_request"), SERVICE, CBC)
    assert reason_of(provider, bare) == "cipher_without_signature"


def test_an_encrypted_assertion_must_be_signed_itself(provider: SamlProvider, idp: HostileIdp) -> None:
    unsigned = idp.response(idp.assertion("_request", signature=""))
    forged = idp.sign(idp.response(idp.assertion("_request")), pair=make_pair("attacker"))

    assert reason_of(provider, idp.encrypt(unsigned, SERVICE)) == "assertion_not_signed"
    assert reason_of(provider, idp.encrypt(forged, SERVICE)) == "signature"


def test_an_encrypted_assertion_is_the_only_one(provider: SamlProvider, idp: HostileIdp) -> None:
    encrypted = idp.encrypt(idp.signed_response("_request"), SERVICE)
    other = idp.assertion("_request", signature="").replace("_assertion", "_evil")

    added = encrypted.replace("</samlp:Response>", f"{other}</samlp:Response>")
    twice = idp.encrypt(
        idp.signed_response("_request").replace("</saml:Subject>", f"</saml:Subject>{other}"), SERVICE
    )

    assert reason_of(provider, added) == "number_of_assertions"
    assert reason_of(provider, twice) == "number_of_assertions"


ENCRYPTED_OTHERWISE = {
    "another-key": ("decryption", {"certificate": make_pair("other").certificate}),
    "rsa-1.5": ("algorithm", {"transport": f"{XENC}rsa-1_5"}),
}


@pytest.mark.parametrize("case", ENCRYPTED_OTHERWISE)
def test_what_is_encrypted_otherwise_is_refused(provider: SamlProvider, idp: HostileIdp, case: str) -> None:
    reason, changes = ENCRYPTED_OTHERWISE[case]
    document = idp.encrypt(idp.signed_response("_request"), **{"certificate": SERVICE, **changes})

    assert reason_of(provider, document) == reason


def test_something_encrypted_elsewhere_is_refused(provider: SamlProvider, idp: HostileIdp) -> None:
    """xmlsec1 would decrypt the first."""
    document = idp.encrypt(idp.signed_response("_request"), SERVICE)
    data = document[document.index("<xenc:EncryptedData") : document.index("</saml:EncryptedAssertion>")]
    holder = f'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{data}</ds:Signature>'

    added = document.replace("</saml:Issuer>", f"</saml:Issuer>{holder}", 1)

    assert reason_of(provider, added) == "encrypted_shape"


def test_a_cipher_fetched_from_elsewhere_is_refused(provider: SamlProvider, idp: HostileIdp) -> None:
    document = idp.encrypt(idp.signed_response("_request"), SERVICE)
    begin, end = document.rindex("<xenc:CipherValue>"), document.rindex("</xenc:CipherData>")
    fetched = '<xenc:CipherReference URI="http://127.0.0.1:9/"/>'

    assert reason_of(provider, document[:begin] + fetched + document[end:]) == "encrypted_shape"


def test_a_setting_refuses_what_is_not_encrypted(make_provider: MakeProvider, idp: HostileIdp) -> None:
    provider, response = make_provider(encryption="required"), idp.signed_response("_request")

    assert reason_of(provider, response) == "assertion_not_encrypted"
    assert read(provider, idp.encrypt(response, SERVICE)).subject.subject == "jo"


def test_what_was_encrypted_for_the_older_key_is_read_while_keys_change(
    make_provider: MakeProvider, idp: HostileIdp
) -> None:
    pairs = [make_pair(name).write(idp.folder, name) for name in ("newer", "portal")]
    provider = make_provider(
        key_files=tuple(str(key) for key, _ in pairs), certificate_files=tuple(str(file) for _, file in pairs)
    )

    for name in ("newer", "portal"):
        document = idp.encrypt(idp.signed_response("_request"), make_pair(name).certificate)
        assert read(provider, document).subject.subject == "jo"
        assert make_pair(name).stated in provider.describe_service()


def test_reading_takes_milliseconds(provider: SamlProvider, idp: HostileIdp) -> None:
    document = idp.signed_response("_request")
    read(provider, document)

    begun = time.process_time()
    read(provider, document)

    assert time.process_time() - begun < 0.5
