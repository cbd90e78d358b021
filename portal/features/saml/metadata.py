"""What an identity provider's metadata says: who it is, where to sign in, and by which keys it signs.

The metadata is a file that an administrator puts there, so it is trusted as a setting is; a changed file is
read without a restart.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit
from xml.etree.ElementTree import ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


# Names that the SAML, signature and encryption standards give to elements, bindings and algorithms.

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
MD = "urn:oasis:names:tc:SAML:2.0:metadata"
DS = "http://www.w3.org/2000/09/xmldsig#"
XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
_MORE = "http://www.w3.org/2001/04/xmldsig-more#"

REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
SUCCESS = "urn:oasis:names:tc:SAML:2.0:status:Success"
BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

RSA_SHA256 = f"{_MORE}rsa-sha256"
# Nothing weaker than SHA-256. RSA-PSS is left out: Debian's xmlsec1 does not know it.
SIGNATURES = frozenset(f"{_MORE}{key}-sha{size}" for key in ("rsa", "ecdsa") for size in (256, 384, 512))
DIGESTS = frozenset({f"{XENC}sha256", f"{_MORE}sha384", f"{XENC}sha512"})
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"  # without comments: what is signed has none
ENVELOPED = f"{DS}enveloped-signature"

AUTHENTICATED_CIPHERS = tuple(f"{XENC11}aes{size}-gcm" for size in (256, 192, 128))
PLAIN_CIPHERS = tuple(f"{XENC}aes{size}-cbc" for size in (256, 192, 128))
KEY_TRANSPORT = f"{XENC}rsa-oaep-mgf1p"  # never RSA 1.5, whose padding can be guessed by its errors


def saml(name: str) -> str:
    """An element of assertions, as ElementTree writes it."""
    return f"{{{SAML}}}{name}"


def samlp(name: str) -> str:
    """An element of the protocol."""
    return f"{{{SAMLP}}}{name}"


def md(name: str) -> str:
    """An element of metadata."""
    return f"{{{MD}}}{name}"


def ds(name: str) -> str:
    """An element of a signature."""
    return f"{{{DS}}}{name}"


def xenc(name: str) -> str:
    """An element of what is encrypted."""
    return f"{{{XENC}}}{name}"


LARGEST_FILE = 1024 * 1024
LONGEST_ENTITY_ID = 1024  # characters: SAML 2.0 Core 8.3.6
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class MetadataError(ValueError):
    """Metadata that cannot be used; the message says why, after the name of its setting."""


@dataclass(frozen=True, slots=True)
class IdpMetadata:
    """An identity provider, as far as the portal needs it."""

    entity_id: str
    sign_in_address: str  # of the redirect binding
    public_keys: tuple[bytes, ...]  # in PEM, by any of which it may sign: two while keys change
    valid_until: datetime | None


def read_entity_id(path: str) -> str:
    """Who the identity provider of this file is; read once, since people are bound to it.

    Raises:
        MetadataError: The file cannot be used.
    """
    return _read_entity_id(path)


@lru_cache(maxsize=4)
def _read_entity_id(path: str) -> str:
    return _entity_id(_read_root(path))


def read_metadata(path: str) -> IdpMetadata:
    """What the file says now.

    Raises:
        MetadataError: It cannot be used.
    """
    root = _read_root(path)
    role = root.find(md("IDPSSODescriptor"))
    if role is None or SAMLP not in role.get("protocolSupportEnumeration", "").split():
        raise MetadataError("describes no identity provider of SAML 2.0")
    return IdpMetadata(_entity_id(root), _sign_in_address(role), _public_keys(role), _valid_until(root))


def _read_root(path: str) -> "Element":
    try:
        with Path(path).open("rb") as file:
            document = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise MetadataError("is no file that can be read") from error
    if len(document) > LARGEST_FILE:
        raise MetadataError("is larger than 1 MiB")
    try:
        root: Element = fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise MetadataError("is no XML without a document type") from error
    if root.tag != md("EntityDescriptor"):
        raise MetadataError("is not the metadata of one entity (an EntityDescriptor)")
    return root


def _entity_id(root: "Element") -> str:
    entity_id = root.get("entityID", "").strip()
    if not 0 < len(entity_id) <= LONGEST_ENTITY_ID:
        raise MetadataError("names no entityID")
    return entity_id


def _sign_in_address(role: "Element") -> str:
    for service in role.findall(md("SingleSignOnService")):
        if service.get("Binding") == REDIRECT:
            address = service.get("Location", "")
            parts = urlsplit(address)
            if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
                return address
            raise MetadataError("names an address for signing in that is not https")
    raise MetadataError("names no address for signing in by HTTP-Redirect")


def _public_keys(role: "Element") -> tuple[bytes, ...]:
    from portal.features.saml.keys import KeyFaultError, read_public_key

    keys: list[bytes] = []
    for descriptor in role.findall(md("KeyDescriptor")):
        if descriptor.get("use", "signing") != "signing":
            continue
        for stated in descriptor.iter(ds("X509Certificate")):
            try:
                keys.append(read_public_key(stated.text or ""))
            except KeyFaultError as error:
                raise MetadataError(str(error)) from error
    if not keys:
        raise MetadataError("holds no certificate for signing")
    return tuple(dict.fromkeys(keys))


def _valid_until(root: "Element") -> datetime | None:
    stated = root.get("validUntil")
    if stated is None:
        return None
    try:
        instant = datetime.fromisoformat(stated)
    except ValueError as error:
        raise MetadataError("says in validUntil no time that can be read") from error
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
