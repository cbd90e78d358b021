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

from portal.platform.saml import names
from portal.platform.saml.names import ds, md

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

LARGEST_FILE = 1024 * 1024
LONGEST_ENTITY_ID = 1024  # characters: SAML 2.0 Core 8.3.6
LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class MetadataError(Exception):
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
    if role is None or names.SAMLP not in role.get("protocolSupportEnumeration", "").split():
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
        if service.get("Binding") == names.REDIRECT:
            address = service.get("Location", "")
            parts = urlsplit(address)
            if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK):
                return address
            raise MetadataError("names an address for signing in that is not https")
    raise MetadataError("names no address for signing in by HTTP-Redirect")


def _public_keys(role: "Element") -> tuple[bytes, ...]:
    from portal.platform.saml.keys import KeyFaultError, read_public_key  # 7 MiB

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
