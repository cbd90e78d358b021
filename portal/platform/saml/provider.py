"""The force's identity provider: begins a sign-in, and reads what its browser brings back."""

import secrets
from datetime import datetime
from pathlib import Path

from saml2.xml.schema import XMLSchemaError, validate

from portal.platform.openid.errors import ProviderUnavailableError, TokenRefusedError
from portal.platform.openid.subjects import PendingSignIn
from portal.platform.saml import names, service, xmlsec
from portal.platform.saml.assertions import ExpectedAssertion, SignedStatement, read_assertion
from portal.platform.saml.documents import ResponseShape, decode, find_decrypted, read_response
from portal.platform.saml.metadata import IdpMetadata, MetadataError, read_metadata
from portal.platform.saml.settings import SamlSettings


class SamlProvider:
    """One provider, as one service of it; shared by the threads of a process.

    Args:
        settings: Checked at the start.
        portal_address: Without a slash at its end.
    """

    def __init__(self, settings: SamlSettings, portal_address: str) -> None:
        self._settings, self._address = settings, f"{portal_address}/saml/acs"
        self._entity_id = settings.entity_id or f"{portal_address}/saml/metadata"
        self._issuer = settings.issuer
        self._read: tuple[tuple[int, int], IdpMetadata] | None = None

    def describe_service(self) -> str:
        """The portal's metadata, for the provider's administrator."""
        settings = self._settings
        return service.describe_service(self._entity_id, self._address, settings.certificate_files)

    def begin_sign_in(self, at: datetime, *, again: bool = False) -> tuple[str, PendingSignIn]:
        """Where to send the browser, and what its answer must meet.

        Args:
            at: This instant.
            again: Whether the person is to show who they are even if they are signed in there.

        Raises:
            ProviderUnavailableError: The provider's metadata cannot be used any more.
        """
        settings, destination = self._settings, self._read_metadata(at).sign_in_address
        pending = PendingSignIn(
            state=secrets.token_urlsafe(32), nonce=f"_{secrets.token_urlsafe(32)}", code_verifier=""
        )
        request = service.build_request(
            pending.nonce,
            entity_id=self._entity_id,
            address=self._address,
            destination=destination,
            persistent=not settings.subject_attribute,
            again=again,
            at=at,
        )
        return service.sign_redirect(request, destination, pending.state, settings.key_files[0]), pending

    def read_response(self, sent: str, at: datetime) -> SignedStatement:
        """Who signed in, by the response that a browser brings; whether it was asked for is not known yet.

        Args:
            sent: The form's ``SAMLResponse``.
            at: This instant.

        Raises:
            ProviderUnavailableError: xmlsec1 does not run, or the metadata cannot be used any more.
            TokenRefusedError: It is not one to believe.
        """
        keys, document = self._read_metadata(at).public_keys, decode(sent)
        response = read_response(document, issuer=self._issuer, address=self._address)
        covered = b""
        if response.is_signed:
            covered = xmlsec.read_signed(document, "Response", response.response_id, keys)
        if response.cipher:
            clear, assertion_id = self._decrypt_response(response, covered)
        elif self._settings.encryption_required:
            raise TokenRefusedError("assertion_not_encrypted")
        else:
            clear, assertion_id = document, response.assertion_id
        signed = xmlsec.read_signed(clear, "Assertion", assertion_id, keys)
        _check_schema(document)  # which takes long: not for what nobody signed
        return read_assertion(signed, self._expected_assertion(), at)

    def _decrypt_response(self, response: ResponseShape, covered: bytes) -> tuple[bytes, str]:
        """A response with its assertion in clear, and that assertion's id.

        Args:
            response: Whose assertion is encrypted.
            covered: What the response's own signature covers; empty if it has none.
        """
        if response.cipher in names.PLAIN_CIPHERS and not covered:
            # Whoever changes what AES-CBC encrypts learns from each answer: what nobody signed is not tried.
            raise TokenRefusedError("cipher_without_signature")
        clear = xmlsec.decrypt(covered or response.document, self._settings.key_files)
        return clear, find_decrypted(clear)

    def _expected_assertion(self) -> ExpectedAssertion:
        return ExpectedAssertion(
            issuer=self._issuer,
            audience=self._entity_id,
            recipient=self._address,
            match_attribute=self._settings.match_attribute,
            subject_attribute=self._settings.subject_attribute,
        )

    def _read_metadata(self, at: datetime) -> IdpMetadata:
        """What the provider's metadata says; read again when its file has changed."""
        path = Path(self._settings.idp_metadata)
        try:
            status = path.stat()
            version = (status.st_mtime_ns, status.st_size)
            if self._read is None or self._read[0] != version:
                self._read = version, read_metadata(str(path))
        except (OSError, MetadataError) as error:
            raise ProviderUnavailableError("metadata_unreadable") from error
        metadata = self._read[1]
        if metadata.entity_id != self._issuer:
            raise ProviderUnavailableError("metadata_of_another_entity")
        if metadata.valid_until is not None and metadata.valid_until <= at:
            raise ProviderUnavailableError("metadata_out_of_date")
        return metadata


def _check_schema(document: bytes) -> None:
    try:
        validate(document.decode("utf-8"))
    except XMLSchemaError:
        # Not kept as the cause: it holds the document.
        raise TokenRefusedError("schema") from None
