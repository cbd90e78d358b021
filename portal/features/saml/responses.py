"""Responses of a provider: their shape, and what a signed assertion says."""

import base64
import binascii
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring
from saml2.saml import assertion_from_string

from portal.features.saml import metadata
from portal.features.saml.metadata import ds, saml, samlp, xenc
from portal.features.saml.settings import NAME_ID
from portal.platform.openid.claims import LONGEST_VALUE, ClockError, ProviderSubject, TokenRefusedError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

# The shape of a response: refused before any key is tried unless it is the one shape that the portal
# knows.
#
# Exactly one assertion, where the protocol puts it, with a signature of its own over itself; nothing that
# could carry a second one, or make a verifier work for long.

LARGEST = 256 * 1024  # bytes of a response; one with a hundred groups has 20 KiB
DEEPEST = 40  # elements within each other
_ID = re.compile(r"[A-Za-z_][\w.-]{0,254}", re.ASCII)
_ENCODING = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"'](?!utf-8[\"'])", re.I)
KNOWN = {saml("Issuer"), ds("Signature"), samlp("Status"), saml("Assertion"), saml("EncryptedAssertion")}
_ID_NAME = re.compile(r"(?:^|\})id$", re.IGNORECASE)  # of any namespace: xmlsec1 makes no difference


@dataclass(frozen=True, slots=True)
class ResponseShape:
    """A response of the right shape; nothing in it is believed yet."""

    document: bytes
    response_id: str
    is_signed: bool  # also the response itself
    assertion_id: str  # empty: it is encrypted
    cipher: str  # with which it is; empty: it is not


def decode(sent: str) -> bytes:
    """The document that a browser was given for the portal.

    Raises:
        TokenRefusedError: It is too large, or not in base64.
    """
    if len(sent) > LARGEST * 3 // 2:
        raise TokenRefusedError("too_large")
    try:
        document = base64.b64decode("".join(sent.split()), validate=True)
    except (ValueError, binascii.Error) as error:
        raise TokenRefusedError("no_base64") from error
    if len(document) > LARGEST:
        raise TokenRefusedError("too_large")
    return document


def read_response(document: bytes, *, issuer: str, address: str) -> ResponseShape:
    """The parts of a response, of this provider to this address.

    Raises:
        TokenRefusedError: It has another shape, or says that nobody signed in.
    """
    root = parse(document)
    if root.tag != samlp("Response") or root.get("Version") != "2.0":
        raise TokenRefusedError("no_response")
    if root.get("Destination") != address:
        raise TokenRefusedError("destination")
    if (stated := root.find(saml("Issuer"))) is not None and (stated.text or "").strip() != issuer:
        raise TokenRefusedError("response_of_another_issuer")
    _check_status(root)
    _check_alone(root)
    if not {child.tag for child in root} <= KNOWN:
        raise TokenRefusedError("unknown_elements")
    signature = root.find(ds("Signature"))
    if signature is not None:
        _check_signature(signature, _read_id(root))
    assertion, encrypted = root.find(saml("Assertion")), root.find(saml("EncryptedAssertion"))
    if assertion is not None:
        return ResponseShape(document, _read_id(root), signature is not None, check_assertion(assertion), "")
    if encrypted is None:
        raise TokenRefusedError("number_of_assertions")
    return ResponseShape(document, _read_id(root), signature is not None, "", _check_encrypted(encrypted))


def find_decrypted(document: bytes) -> str:
    """The id of the assertion in a response that was decrypted.

    Raises:
        TokenRefusedError: There is not exactly one, of the right shape.
    """
    root = parse(document)
    _check_alone(root, encrypted=True)
    assertion = root.find(f"{saml('EncryptedAssertion')}/{saml('Assertion')}")
    if root.tag != samlp("Response") or assertion is None:
        raise TokenRefusedError("number_of_assertions")
    return check_assertion(assertion)


def parse(document: bytes) -> "Element":
    """The document's root: XML in UTF-8 without a document type, not too deep.

    Raises:
        TokenRefusedError: It is not.
    """
    if _ENCODING.match(document):
        raise TokenRefusedError("encoding")
    try:
        document.decode("utf-8")
        root: Element = fromstring(document, forbid_dtd=True)
    except DefusedXmlException as error:
        raise TokenRefusedError("document_type") from error
    except (ParseError, ValueError, LookupError) as error:
        raise TokenRefusedError("no_xml") from error
    layer, depth = [root], 0
    while layer:
        depth += 1
        if depth > DEEPEST:
            raise TokenRefusedError("too_deep")
        layer = [child for element in layer for child in element]
    return root


def check_assertion(assertion: "Element") -> str:
    """The id of an assertion that has exactly one signature, of itself.

    Raises:
        TokenRefusedError: It has not.
    """
    signatures = assertion.findall(ds("Signature"))
    if len(signatures) != 1:
        raise TokenRefusedError("assertion_not_signed")
    element_id = _read_id(assertion)
    _check_signature(signatures[0], element_id)
    return element_id


def _check_status(root: "Element") -> None:
    """Refuse a response that says that nobody signed in; its words are the provider's own."""
    codes = [code.get("Value", "") for code in root.iterfind(f"{samlp('Status')}//{samlp('StatusCode')}")]
    if not codes:
        raise TokenRefusedError("no_status")
    if codes != [metadata.SUCCESS]:
        raise TokenRefusedError(f"provider_{re.sub('[^A-Za-z]', '', codes[-1].rpartition(':')[2])[:40]}")


def _check_alone(root: "Element", *, encrypted: bool = False) -> None:
    """Refuse a second assertion or response, a repeated id, and a signature in any other place."""
    elements = list(root.iter())
    tags = [element.tag for element in elements]
    assertions = tags.count(saml("Assertion")) + tags.count(saml("EncryptedAssertion")) - encrypted
    if assertions != 1 or tags.count(samlp("Response")) != 1:
        raise TokenRefusedError("number_of_assertions")
    if tags.count(xenc("EncryptedData")) != tags.count(saml("EncryptedAssertion")) - encrypted:
        raise TokenRefusedError("encrypted_shape")
    ids = [(name, value) for element in elements for name, value in element.items() if _ID_NAME.search(name)]
    if len({value for _, value in ids}) != len(ids) or any(name.startswith("{") for name, _ in ids):
        raise TokenRefusedError("repeated_id")
    signed = [element for element in elements if element.find(ds("Signature")) is not None]
    places = {samlp("Response"), saml("Assertion")}
    if tags.count(ds("Signature")) != len(signed) or not {element.tag for element in signed} <= places:
        raise TokenRefusedError("stray_signature")


def _read_id(element: "Element") -> str:
    value = element.get("ID", "")
    if not _ID.fullmatch(value):
        raise TokenRefusedError("id")
    return value


def _check_signature(signature: "Element", element_id: str) -> None:
    """Refuse a signature that is not of this element alone, or made or prepared in any unknown way."""
    parts = [child.tag for child in signature]
    if parts not in (
        [ds("SignedInfo"), ds("SignatureValue")],
        [ds("SignedInfo"), ds("SignatureValue"), ds("KeyInfo")],
    ):
        raise TokenRefusedError("signature_shape")
    about = list(signature[0])
    if [child.tag for child in about] != [
        ds("CanonicalizationMethod"),
        ds("SignatureMethod"),
        ds("Reference"),
    ]:
        raise TokenRefusedError("signature_shape")
    form, method, reference = about
    if [child.tag for child in reference] != [ds("Transforms"), ds("DigestMethod"), ds("DigestValue")]:
        raise TokenRefusedError("signature_shape")
    transforms, digest, _ = reference
    if reference.get("URI") != f"#{element_id}":
        raise TokenRefusedError("signature_of_another_element")
    if form.get("Algorithm") != metadata.EXCLUSIVE or _list_algorithms(transforms) != [
        metadata.ENVELOPED,
        metadata.EXCLUSIVE,
    ]:
        raise TokenRefusedError("transforms")
    if method.get("Algorithm") not in metadata.SIGNATURES or digest.get("Algorithm") not in metadata.DIGESTS:
        raise TokenRefusedError("algorithm")
    inner = {child.tag for part in (form, method, digest, *transforms) for child in part}
    if not inner <= {f"{{{metadata.EXCLUSIVE}}}InclusiveNamespaces"}:
        raise TokenRefusedError("transforms")


def _list_algorithms(parent: "Element") -> list[str | None]:
    return [child.get("Algorithm") for child in parent if child.tag == ds("Transform")]


def _check_encrypted(encrypted: "Element") -> str:
    """The cipher of an encrypted assertion: a key for the portal inside what it encrypts, nothing fetched."""
    data = encrypted.find(xenc("EncryptedData"))
    info = None if data is None else data.find(ds("KeyInfo"))
    key = None if info is None else info.find(xenc("EncryptedKey"))
    if data is None or info is None or key is None or len(encrypted) != 1 or len(info) != 1:
        raise TokenRefusedError("encrypted_shape")
    for part in (data, key):
        parts = sorted(child.tag for child in part)
        known = [ds("KeyInfo"), xenc("CipherData"), xenc("EncryptionMethod")]
        values = [child.tag for child in part.iterfind(f"{xenc('CipherData')}/*")]
        if parts not in (known, known[1:]) or values != [xenc("CipherValue")]:
            raise TokenRefusedError("encrypted_shape")
    cipher, transport = (part[0].get("Algorithm", "") for part in (data, key))
    if (
        cipher not in metadata.AUTHENTICATED_CIPHERS + metadata.PLAIN_CIPHERS
        or transport != metadata.KEY_TRANSPORT
    ):
        raise TokenRefusedError("algorithm")
    return cipher


# What a signed assertion says: for whom, about whom, and when. Pure: the time is an argument.

LEEWAY = timedelta(minutes=2)  # by which the two clocks may differ
LONGEST_WAY = timedelta(minutes=10)  # from an assertion's issue to here
CLOCK_AT_FAULT = timedelta(hours=1)  # beyond it an assertion is simply old


@dataclass(frozen=True, slots=True)
class ExpectedAssertion:
    """Who must have issued an assertion, for whom alone, and what of it names the person."""

    issuer: str
    audience: str
    recipient: str
    match_attribute: str
    subject_attribute: str  # empty: the persistent NameID


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """Who signed in and when, by which assertion, for which request."""

    subject: ProviderSubject
    assertion_id: str
    request_id: str
    signed_in_at: datetime  # when the person showed the provider who they are


def read_assertion(signed: bytes, expected: ExpectedAssertion, at: datetime) -> SignedStatement:
    """Who signed in, by an assertion of this provider for the portal, of now.

    Args:
        signed: The canonical form that the provider signed, without its signature.
        expected: What it must be.
        at: This instant.

    Raises:
        ClockError: It is not valid yet, or no more, by the portal's clock.
        TokenRefusedError: Anything else about it is not right.
    """
    if b"<?" in signed:  # in canonical form, a processing instruction: one reader may cut a text there
        raise TokenRefusedError("processing_instruction")
    try:
        assertion = assertion_from_string(signed)
    except ParseError as error:  # nothing was digested
        raise TokenRefusedError("no_assertion") from error
    if assertion is None or assertion.version != "2.0":
        raise TokenRefusedError("no_assertion")
    if _read_text(assertion.issuer) != expected.issuer:
        raise TokenRefusedError("issuer")
    _check_audience(assertion.conditions, expected.audience)
    bearer = _bearer_of(assertion.subject, expected.recipient)
    _check_times(assertion, bearer, at)
    if len(assertion.authn_statement) != 1:
        raise TokenRefusedError("nobody_signed_in")
    subject = ProviderSubject(
        expected.issuer,
        _lasting_subject(assertion, expected),
        _match_value(assertion, expected.match_attribute),
        None,
    )
    signed_in_at = _read_instant(assertion.authn_statement[0].authn_instant)
    return SignedStatement(subject, str(assertion.id), str(bearer.in_response_to or ""), signed_in_at)


def _check_audience(conditions: Any, audience: str) -> None:
    """Refuse an assertion that is for others too, or has conditions that the portal does not know."""
    if conditions is None or conditions.extension_elements or conditions.condition:
        raise TokenRefusedError("conditions")
    restrictions = [[_read_text(each) for each in one.audience] for one in conditions.audience_restriction]
    if restrictions != [[audience]]:
        raise TokenRefusedError("audience")


def _bearer_of(subject: Any, recipient: str) -> Any:
    """The one confirmation that whoever brings the assertion here is its subject."""
    confirmations = subject.subject_confirmation if subject is not None else []
    if len(confirmations) != 1 or confirmations[0].method != metadata.BEARER:
        raise TokenRefusedError("confirmation")
    data = confirmations[0].subject_confirmation_data
    if data is None or data.recipient != recipient:
        raise TokenRefusedError("recipient")
    if not data.in_response_to:
        raise TokenRefusedError("not_asked_for")
    return data


def _check_times(assertion: Any, bearer: Any, at: datetime) -> None:
    """Refuse an assertion that was not issued just now, or has run out."""
    issued = _read_instant(assertion.issue_instant)
    conditions = assertion.conditions
    begins = [_read_instant(each) for each in (conditions.not_before, bearer.not_before) if each]
    sessions = [each.session_not_on_or_after for each in assertion.authn_statement]
    limits = [each for each in (conditions.not_on_or_after, *sessions) if each]
    ends = [_read_instant(each) for each in (bearer.not_on_or_after, *limits)]  # the first must be there
    ahead = issued - at
    timely = -LONGEST_WAY <= ahead <= LEEWAY and all(begin <= at + LEEWAY for begin in begins)
    if timely and all(end > at - LEEWAY for end in ends):
        return
    if abs(ahead) <= CLOCK_AT_FAULT:
        raise ClockError(round(ahead.total_seconds()))
    raise TokenRefusedError("expired")


def _read_instant(stated: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(stated or ""))
    except ValueError as error:
        raise TokenRefusedError("times") from error
    if instant.tzinfo is None:
        raise TokenRefusedError("times")
    return instant


def _lasting_subject(assertion: Any, expected: ExpectedAssertion) -> str:
    """What identifies the person at the provider for ever."""
    if expected.subject_attribute:
        value = _read_attribute(assertion, expected.subject_attribute)
    else:
        name_id = assertion.subject.name_id
        if name_id is None or name_id.format != metadata.PERSISTENT:
            raise TokenRefusedError("name_id_not_persistent")
        # Another qualifier would say that the same text is somebody else's identifier.
        if (name_id.name_qualifier or expected.issuer) != expected.issuer:
            raise TokenRefusedError("name_qualifier")
        if (name_id.sp_name_qualifier or expected.audience) != expected.audience:
            raise TokenRefusedError("name_qualifier")
        value = _read_text(name_id)
    if not value:
        raise TokenRefusedError("subject")
    return value


def _match_value(assertion: Any, match_attribute: str) -> str:
    """What names a person in the roster; empty where it is missing, or an email address as NameID."""
    if match_attribute != NAME_ID:
        return _read_attribute(assertion, match_attribute)
    name_id = assertion.subject.name_id
    if name_id is None or name_id.format in {metadata.EMAIL, metadata.TRANSIENT}:
        return ""
    return _read_text(name_id)


def _read_attribute(assertion: Any, name: str) -> str:
    """The value of an attribute; empty where it is no single short text."""
    values = [
        value
        for statement in assertion.attribute_statement
        for attribute in statement.attribute
        if attribute.name == name
        for value in attribute.attribute_value
    ]
    return _read_text(values[0]) if len(values) == 1 else ""


def _read_text(element: Any) -> str:
    """The text of an element as the roster writes it; empty where it holds more, or is long or odd."""
    if element is None or element.extension_elements:
        return ""
    text = str(element.text or "").strip()
    return text if len(text) <= LONGEST_VALUE and text.isprintable() else ""
