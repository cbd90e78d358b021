"""Checks of the settings for signing in with SAML 2.0: a sentence for each fault."""

import importlib.util
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from config import current_settings
from portal.features.saml.metadata import MetadataError, read_entity_id, read_metadata
from portal.platform.openid.settings import UNSAFE_CLAIMS

NAME_ID = "NameID"  # as the attribute to match: the identifier of the assertion's subject
PROGRAM = "xmlsec1"
# As the claims, under the names that SAML's directories and Microsoft give them.
UNSAFE_ATTRIBUTES = UNSAFE_CLAIMS | {
    "emailaddress", "displayname", "cn", "commonname", "givenname", "sn", "surname", "edupersonnickname",
    "urn:oid:0.9.2342.19200300.100.1.3", "urn:oid:1.2.840.113549.1.9.1", "urn:oid:2.16.840.1.113730.3.1.241",
    "urn:oid:2.5.4.3", "urn:oid:2.5.4.4", "urn:oid:2.5.4.42", "urn:oid:1.3.6.1.4.1.5923.1.1.1.2",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SamlSettings:
    """How the force's own sign-in is reached, and by which attribute it names a person."""

    idp_metadata: str  # path of a file
    entity_id: str  # the portal's; empty: the address of its metadata
    key_files: tuple[str, ...]  # the first signs; all decrypt
    certificate_files: tuple[str, ...]
    match_attribute: str
    match_field: str  # staff_number, or a scheme of identifiers
    subject_attribute: str  # what is unique for ever; empty: a persistent NameID
    encryption: str  # accepted or required
    label: str

    @property
    def is_set(self) -> bool:
        """Whether the force signs in with SAML."""
        return bool(self.idp_metadata)

    @property
    def claim(self) -> str:
        """The attribute that names a person."""
        return self.match_attribute

    @property
    def issuer(self) -> str:
        """The identity provider's entity id."""
        return read_entity_id(self.idp_metadata)

    @property
    def encryption_required(self) -> bool:
        """Whether an assertion that is not encrypted is refused."""
        return self.encryption == "required"

    def read_ends(self) -> dict[str, datetime]:
        """When the certificate that signs ends, and the provider's metadata; empty where no provider is set.

        Raises:
            OSError: A file cannot be read.
            ValueError: The certificate's is none.
            MetadataError: The metadata cannot be used.
        """
        if not self.idp_metadata:
            return {}
        from portal.features.saml.keys import read_certificate_end  # 7 MiB

        ends = {"saml-certificate": read_certificate_end(self.certificate_files[0])}
        if valid_until := read_metadata(self.idp_metadata).valid_until:
            ends["saml-metadata"] = valid_until
        return ends

    def list_faults(self) -> Iterator[str]:
        """A sentence for each setting that is missing or wrong; none where no provider is set."""
        needed = {
            "SAML_IDP_METADATA": self.idp_metadata,
            "SAML_KEY_FILE": self.key_files,
            "SAML_CERTIFICATE_FILE": self.certificate_files,
            "SAML_MATCH_ATTRIBUTE": self.match_attribute,
            "SAML_MATCH_FIELD": self.match_field,
        }
        missing = [name for name, value in needed.items() if not value]
        if len(missing) == len(needed):
            return
        yield from _installation_faults()
        if missing:
            yield f"{' and '.join(missing)} must be set too: SAML needs all of them."
            return
        yield from self._file_faults()
        yield from self._match_faults()
        yield from self._text_faults()

    def _file_faults(self) -> Iterator[str]:
        from portal.features.saml.keys import KeyFaultError, check_own_keys

        try:
            read_metadata(self.idp_metadata)
        except MetadataError as error:
            yield f"SAML_IDP_METADATA {error}."
        try:
            check_own_keys(self.key_files, self.certificate_files)
        except KeyFaultError as error:
            yield str(error)

    def _match_faults(self) -> Iterator[str]:
        for name, attribute in (
            ("SAML_MATCH_ATTRIBUTE", self.match_attribute),
            ("SAML_SUBJECT_ATTRIBUTE", self.subject_attribute),
        ):
            if not re.fullmatch(r"[\x21-\x7e]{0,300}", attribute):
                yield f"{name} is the Name of an attribute, such as employee_id."
            elif is_unsafe_attribute(attribute):
                yield (
                    f"{name} names an attribute that does not identify a person for ever, such as an email "
                    "address: choose one that only the force sets, such as the staff number."
                )
        if self.match_field.lower() in {"email", "e-mail", "mail"}:
            yield "SAML_MATCH_FIELD is staff_number or another system's numbers, never an email address."
        elif not re.fullmatch(r"[\w.-]{1,60}", self.match_field):
            yield "SAML_MATCH_FIELD is staff_number, or the name of identifiers that the portal holds."

    def _text_faults(self) -> Iterator[str]:
        if self.entity_id and not re.fullmatch(
            r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]{1,1000}", self.entity_id
        ):
            yield "SAML_ENTITY_ID is an address or a URN, such as https://learning.example.police.uk/saml/metadata"
        if self.encryption not in {"accepted", "required"}:
            yield "SAML_ENCRYPTION is 'accepted' or 'required'."
        if not 0 < len(self.label) <= 60 or not self.label.isprintable():
            yield "SAML_LABEL is one line of 1 to 60 characters, such as 'your force account'."


def read_saml_settings(read: Callable[[str, str], str]) -> SamlSettings:
    """The settings as they are written; ``read`` gives the value of a name, or a default."""
    return SamlSettings(
        idp_metadata=read("SAML_IDP_METADATA", ""),
        entity_id=read("SAML_ENTITY_ID", ""),
        key_files=_split_paths(read("SAML_KEY_FILE", "")),
        certificate_files=_split_paths(read("SAML_CERTIFICATE_FILE", "")),
        match_attribute=read("SAML_MATCH_ATTRIBUTE", ""),
        match_field=read("SAML_MATCH_FIELD", ""),
        subject_attribute=read("SAML_SUBJECT_ATTRIBUTE", ""),
        encryption=read("SAML_ENCRYPTION", "accepted"),
        label=read("SAML_LABEL", "your force account"),
    )


def read_own_settings() -> SamlSettings:
    """The settings of the running portal."""
    settings: SamlSettings = current_settings().feature_settings["saml"]
    return settings


def _split_paths(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _installation_faults() -> Iterator[str]:
    if importlib.util.find_spec("saml2") is None:
        yield (
            "SAML_IDP_METADATA needs the package pysaml2: "
            "install it with python -m pip install --require-hashes -r requirements/production.txt"
        )
    if shutil.which(PROGRAM) is None:
        yield f"SAML_IDP_METADATA needs the program {PROGRAM}: install it with apt-get install {PROGRAM}"


def is_unsafe_attribute(name: str) -> bool:
    """Whether an attribute of this name holds what people or other providers can set.

    >>> is_unsafe_attribute("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress")
    True
    >>> is_unsafe_attribute("http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn")
    False
    """
    return name.lower() in UNSAFE_ATTRIBUTES or name.lower().rpartition("/")[2] in UNSAFE_ATTRIBUTES
