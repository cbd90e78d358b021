"""What a response may say, and how it may be signed: anything else is not believed, and why."""

import pytest

from portal.features.saml.provider import SamlProvider
from tests.features.saml.hostile_idp import (
    AUDIENCE,
    DS,
    EXCLUSIVE,
    MORE,
    PERSISTENT,
    TRANSFORMS,
    URN,
    HostileIdp,
    attributes,
    instant,
    signature_of,
)
from tests.features.saml.keys import make_pair
from tests.features.saml.responses.conftest import MakeProvider
from tests.features.saml.responses.reading import read, reason_of

HOUR = 3600
XSI = "http://www.w3.org/2001/XMLSchema-instance"


def test_an_honest_response_says_who_signed_in(provider: SamlProvider, idp: HostileIdp) -> None:
    statement = read(provider, idp.signed_response("_request"))

    subject = statement.subject
    assert (subject.issuer, subject.subject, subject.match_value) == (idp.entity, "jo", "D1001")
    assert (statement.assertion_id, statement.request_id) == ("_assertion", "_request")


def ago(hours: int, **more: str | None) -> dict[str, str | None]:
    return {"issued": instant(-hours * HOUR), "before": instant(-hours * HOUR), **more}


STATED: dict[str, tuple[str, dict[str, str | None]]] = {
    "another-issuer": ("issuer", {"issuer": "https://idp.other.example/metadata"}),
    "another-audience": ("audience", {"audience": "https://other.example"}),
    "others-too": ("audience", {"audience": f"{AUDIENCE} https://other.example"}),
    "no-audience": ("audience", {"audience": None}),
    "another-recipient": ("recipient", {"recipient": "https://other.example/acs"}),
    "no-recipient": ("recipient", {"recipient": None}),
    "not-asked-for": ("not_asked_for", {"request": None}),
    "holder-of-key": ("confirmation", {"method": f"{URN}:cm:holder-of-key"}),
    "no-end": ("times", {"confirmed": None}),
    "confirmation-over": ("expired", ago(2, confirmed=instant(-HOUR))),
    "expired": ("expired", ago(2, after=instant(-HOUR))),
    "kept-by-somebody": ("expired", ago(2, after=instant(2 * HOUR), confirmed=instant(HOUR))),
    "of-the-future": ("expired", {"issued": instant(2 * HOUR)}),
    "begins-later": ("clock", {"before": instant(HOUR)}),
    "confirmation-begins-later": ("clock", {"begun": instant(HOUR)}),
    "session-over": ("clock", {"session": instant(-HOUR)}),
    "no-time-zone": ("times", {"issued": "2026-11-27T12:00:00"}),
    "no-time": ("schema", {"after": "tomorrow"}),
    "no-issue": ("schema", {"issued": None}),
    "nobody-signed-in": ("nobody_signed_in", {"extra": f'<saml:AuthnStatement AuthnInstant="{instant()}">'
        "<saml:AuthnContext><saml:AuthnContextClassRef>u:x</saml:AuthnContextClassRef></saml:AuthnContext>"
        "</saml:AuthnStatement>"}),
    "two-conditions": ("schema", {"extra": "<saml:Conditions/>"}),
}  # fmt: skip


@pytest.mark.parametrize("case", STATED)
def test_an_assertion_that_says_something_else_is_not_believed(
    provider: SamlProvider, idp: HostileIdp, case: str
) -> None:
    reason, idp.values = STATED[case]

    assert reason_of(provider, idp.signed_response("_request")) == reason


AROUND = {
    "another-destination": ("destination", {"destination": "https://other.example/acs"}),
    "another-issuer": ("response_of_another_issuer", {"issuer": "https://idp.other.example/metadata"}),
    "extensions": ("unknown_elements", {"extensions": "<samlp:Extensions><x/></samlp:Extensions>"}),
    "no-success": ("provider_AuthnFailed", {"status": f"{URN}:status:AuthnFailed"}),
}


@pytest.mark.parametrize("case", AROUND)
def test_a_response_to_or_from_others_is_not_believed(
    provider: SamlProvider, idp: HostileIdp, case: str
) -> None:
    reason, idp.around = AROUND[case]

    assert reason_of(provider, idp.signed_response("_request")) == reason


def transforms(*algorithms: str, inside: str = "") -> str:
    return "".join(f'<ds:Transform Algorithm="{each}">{inside}</ds:Transform>' for each in algorithms)


SHEET = (
    '<x:stylesheet version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform"><x:template match="/">'
    '<x:copy-of select="."/></x:template></x:stylesheet>'
)
XSLT = transforms("http://www.w3.org/TR/1999/REC-xslt-19991116", inside=SHEET)
XPATH = transforms("http://www.w3.org/TR/1999/REC-xpath-19991116", inside="<ds:XPath>1</ds:XPath>")
REFERENCE = signature_of("_assertion").partition("<ds:Reference")[2].partition("</ds:SignedInfo>")[0]
SIGNED_OTHERWISE = {
    "sha1": ("algorithm", {"method": f"{DS}rsa-sha1"}),
    "sha1-digest": ("algorithm", {"digest": f"{DS}sha1"}),
    "sha224": ("algorithm", {"method": f"{MORE}rsa-sha224"}),
    "inclusive-form": ("transforms", {"form": "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"}),
    "form-with-comments": ("transforms", {"form": f"{EXCLUSIVE}WithComments"}),
    "with-comments": ("transforms", {"transforms": transforms(TRANSFORMS[0], f"{EXCLUSIVE}WithComments")}),
    "only-enveloped": ("transforms", {"transforms": transforms(TRANSFORMS[0])}),
    "xslt": ("transforms", {"transforms": transforms(TRANSFORMS[0]) + XSLT + transforms(TRANSFORMS[1])}),
    "xpath": ("transforms", {"transforms": transforms(TRANSFORMS[0]) + XPATH + transforms(TRANSFORMS[1])}),
    "digest-with-more": ("transforms", {"inside": "<ds:DigestValue>AAAA</ds:DigestValue>"}),
    "whole-document": ("signature_of_another_element", {"uri": ""}),
    "object": ("signature_shape", {"more": "<ds:Object/>"}),
    "two-references": ("signature_shape", {"references": f"<ds:Reference{REFERENCE}"}),
}


@pytest.mark.parametrize("case", SIGNED_OTHERWISE)
def test_a_signature_of_another_kind_is_not_believed(
    provider: SamlProvider, idp: HostileIdp, case: str
) -> None:
    reason, idp.signature = SIGNED_OTHERWISE[case]

    assert reason_of(provider, idp.signed_response("_request")) == reason


@pytest.mark.parametrize("method", ["rsa-sha256", "rsa-sha384", "rsa-sha512"])
def test_a_signature_with_sha_256_or_stronger_is_believed(
    provider: SamlProvider, idp: HostileIdp, method: str
) -> None:
    idp.signature = {"method": f"{MORE}{method}"}

    assert read(provider, idp.signed_response("_request")).subject.subject == "jo"


def test_a_signature_by_an_elliptic_curve_is_believed(make_provider: MakeProvider, idp: HostileIdp) -> None:
    idp.pair, idp.signature = make_pair("curve", "ec"), {"method": f"{MORE}ecdsa-sha256"}

    assert read(make_provider(idp.metadata()), idp.signed_response("_request")).subject.subject == "jo"


@pytest.mark.parametrize(
    ("more", "carried"),
    [
        ("", ""),
        ("<ds:KeyInfo><ds:KeyValue/></ds:KeyInfo>", "Modulus>"),
        (f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{make_pair('attacker').stated}</ds:X509Certificate>"
         "</ds:X509Data></ds:KeyInfo>", "X509Certificate>"),
    ],
    ids=["no-key", "key-value", "certificate"],
)  # fmt: skip
def test_another_key_is_not_believed_even_if_the_document_carries_it(
    provider: SamlProvider, idp: HostileIdp, more: str, carried: str
) -> None:
    idp.signature = {"more": more}
    document = idp.sign(idp.response(idp.assertion("_request")), pair=make_pair("attacker"))

    assert carried in document
    assert reason_of(provider, document) == "signature"


def test_an_assertion_must_be_signed_itself(provider: SamlProvider, idp: HostileIdp) -> None:
    unsigned = idp.assertion("_request", signature="")
    around = idp.sign(idp.response(unsigned, signature_of("_response")), "Response")

    assert reason_of(provider, idp.response(unsigned)) == "assertion_not_signed"
    assert reason_of(provider, around) == "assertion_not_signed"


def test_a_response_that_is_signed_too_must_be_signed_rightly(
    provider: SamlProvider, idp: HostileIdp
) -> None:
    right = idp.signed_response("_request", also_response=True)

    assert read(provider, right).subject.subject == "jo"
    assert reason_of(provider, right.replace('ID="_response"', 'ID="_response" Consent="u:c"')) == "signature"


@pytest.mark.parametrize(
    ("old", "new"),
    [("D1001", "D1002"), (">jo<", ">eve<"), ("</saml:Subject>", '</saml:Subject><!----><?x?>')],
    ids=["value", "subject", "instruction"],
)  # fmt: skip
def test_an_assertion_that_was_changed_is_not_believed(
    provider: SamlProvider, idp: HostileIdp, old: str, new: str
) -> None:
    assert reason_of(provider, idp.signed_response("_request").replace(old, new)) == "signature"


def test_a_namespace_without_canonical_form_is_not_believed(provider: SamlProvider, idp: HostileIdp) -> None:
    """libxml2 fails on it; whoever goes on compares with the digest of nothing."""
    document = idp.signed_response("_request").replace("<saml:Subject>", '<saml:Subject xmlns:e="1">', 1)

    assert reason_of(provider, document) == "signature"


def test_two_assertions_that_are_both_signed_are_not_believed(
    provider: SamlProvider, idp: HostileIdp
) -> None:
    first = idp.signed_response("_request")
    idp.assertion_id = "_second"
    second = idp.signed_response("_request")
    inside = second[second.index("<saml:Assertion") : second.index("</samlp:Response>")]

    assert reason_of(provider, first.replace("</samlp:Response>", f"{inside}</samlp:Response>")) == (
        "number_of_assertions"
    )


@pytest.mark.parametrize("put", ["<!-- -->", "<!---->", "<![CDATA[]]>"], ids=["words", "empty", "cdata"])
def test_what_cuts_a_text_for_some_readers_cuts_none_here(
    provider: SamlProvider, idp: HostileIdp, put: str
) -> None:
    idp.name_id = name_id(f"jo{put}.other")
    idp.attributes = {"employee_id": [f"D1{put}001"]}

    subject = read(provider, idp.signed_response("_request")).subject

    assert (subject.subject, subject.match_value) == ("jo.other", "D1001")


EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
TRANSIENT = f"{URN}:nameid-format:transient"


def name_id(text: str, form: str = PERSISTENT, **more: str) -> str:
    return f"<saml:NameID{attributes(Format=form, **more)}>{text}</saml:NameID>"


NAME_IDS = {
    "instruction": ("processing_instruction", name_id("jo<?x?>.other")),
    "element": ("schema", name_id("jo<x/>.other")),
    "empty": ("subject", name_id(" ")),
    "long": ("subject", name_id("x" * 256)),
    "of-another-provider": ("name_qualifier", name_id("jo", NameQualifier="https://other")),
    "for-another-service": ("name_qualifier", name_id("jo", SPNameQualifier="https://other")),
    "transient": ("name_id_not_persistent", name_id("jo", TRANSIENT)),
    "email": ("name_id_not_persistent", name_id("jo@westshire.example", EMAIL)),
    "no-format": ("name_id_not_persistent", "<saml:NameID>jo</saml:NameID>"),
    "none": ("name_id_not_persistent", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", NAME_IDS)
def test_a_name_that_is_not_lasting_is_not_believed(
    provider: SamlProvider, idp: HostileIdp, case: str
) -> None:
    reason, idp.name_id = NAME_IDS[case]

    assert reason_of(provider, idp.signed_response("_request")) == reason


def test_a_lasting_attribute_may_stand_for_the_name(make_provider: MakeProvider, idp: HostileIdp) -> None:
    idp.name_id = name_id("t1", TRANSIENT)
    provider = make_provider(subject_attribute="objectid")

    for values, subject in (({"objectid": ["0f3c"]}, "0f3c"), ({"objectid": ["0f3c", "7d2a"]}, ""), ({}, "")):
        idp.attributes = {"employee_id": ["D1001"], **values}
        response = idp.signed_response("_request")
        if subject:
            assert read(provider, response).subject.subject == subject
        else:
            assert reason_of(provider, response) == "subject"


@pytest.mark.parametrize(
    ("values", "match"),
    [(["D1001"], "D1001"), ([" d1001 "], "d1001"), (["D1001", "D1002"], ""), ([], ""), (["x" * 256], "")],
    ids=["one", "spaces", "two", "none", "long"],
)
def test_one_short_value_names_a_person(
    provider: SamlProvider, idp: HostileIdp, values: list[str], match: str
) -> None:
    idp.attributes = {"employee_id": values} if values else {}

    assert read(provider, idp.signed_response("_request")).subject.match_value == match


@pytest.mark.parametrize(
    ("form", "match"),
    [(PERSISTENT, "D1001"), (EMAIL, ""), (TRANSIENT, "")],
    ids=["persistent", "email", "transient"],
)
def test_a_name_names_a_person_unless_it_is_an_email_address(
    make_provider: MakeProvider, idp: HostileIdp, form: str, match: str
) -> None:
    idp.name_id = name_id("D1001", form)
    idp.attributes = {"objectid": ["0f3c"]}
    provider = make_provider(match_attribute="NameID", subject_attribute="objectid")

    assert read(provider, idp.signed_response("_request")).subject.match_value == match
