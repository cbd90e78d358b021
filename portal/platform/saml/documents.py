"""The shape of a response: refused before any key is tried unless it is the one shape that the portal knows.

Exactly one assertion, where the protocol puts it, with a signature of its own over itself; nothing that
could carry a second one, or make a verifier work for long.
"""

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from portal.platform.openid.errors import TokenRefusedError
from portal.platform.saml import names
from portal.platform.saml.names import ds, saml, samlp, xenc

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

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
    if codes != [names.SUCCESS]:
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
    if form.get("Algorithm") != names.EXCLUSIVE or _list_algorithms(transforms) != [
        names.ENVELOPED,
        names.EXCLUSIVE,
    ]:
        raise TokenRefusedError("transforms")
    if method.get("Algorithm") not in names.SIGNATURES or digest.get("Algorithm") not in names.DIGESTS:
        raise TokenRefusedError("algorithm")
    inner = {child.tag for part in (form, method, digest, *transforms) for child in part}
    if not inner <= {f"{{{names.EXCLUSIVE}}}InclusiveNamespaces"}:
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
    if cipher not in names.AUTHENTICATED_CIPHERS + names.PLAIN_CIPHERS or transport != names.KEY_TRANSPORT:
        raise TokenRefusedError("algorithm")
    return cipher
