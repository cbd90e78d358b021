"""The force's identity provider: begins a sign-in, and reads what its browser brings back."""

import re
import secrets
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from saml2 import md, saml, samlp, xmldsig
from saml2.cryptography.asymmetric import load_pem_private_key
from saml2.pack import http_redirect_message
from saml2.sigver import RSACrypto
from saml2.xml.schema import XMLSchemaError, validate

from portal.features.saml import metadata
from portal.features.saml.keys import read_certificate
from portal.features.saml.metadata import IdpMetadata, MetadataError, read_metadata
from portal.features.saml.responses import (
    ExpectedAssertion,
    ResponseShape,
    SignedStatement,
    decode,
    find_decrypted,
    read_assertion,
    read_response,
)
from portal.features.saml.settings import PROGRAM, SamlSettings
from portal.platform.openid.claims import PendingSignIn, ProviderUnavailableError, TokenRefusedError

# What the portal says of itself to an identity provider: its metadata, and its signed requests.


def describe_service(entity_id: str, address: str, certificate_files: tuple[str, ...]) -> str:
    """The portal's metadata, for the provider's administrator.

    Args:
        entity_id: The portal's.
        address: Where browsers bring assertions to.
        certificate_files: One, or two while keys change: the first signs requests, any may encrypt.
    """
    certificates = [read_certificate(path) for path in certificate_files]
    ciphers = [
        md.EncryptionMethod(algorithm=cipher)
        for cipher in (*metadata.AUTHENTICATED_CIPHERS, *metadata.PLAIN_CIPHERS, metadata.KEY_TRANSPORT)
    ]
    described = md.EntityDescriptor(
        entity_id=entity_id,
        spsso_descriptor=md.SPSSODescriptor(
            protocol_support_enumeration=metadata.SAMLP,
            authn_requests_signed="true",
            want_assertions_signed="true",
            key_descriptor=[
                *(_describe_key("signing", each) for each in certificates),
                *(_describe_key("encryption", each, ciphers) for each in certificates),
            ],
            name_id_format=[md.NameIDFormat(text=metadata.PERSISTENT)],
            assertion_consumer_service=[
                md.AssertionConsumerService(
                    binding=metadata.POST, location=address, index="0", is_default="true"
                )
            ],
        ),
    )
    return str(described)


def _describe_key(
    use: str, certificate: str, ciphers: list[md.EncryptionMethod] | None = None
) -> md.KeyDescriptor:
    x509 = xmldsig.X509Data(x509_certificate=xmldsig.X509Certificate(text=certificate))
    return md.KeyDescriptor(
        use=use, key_info=xmldsig.KeyInfo(x509_data=[x509]), encryption_method=ciphers or []
    )


def build_request(
    request_id: str,
    *,
    entity_id: str,
    address: str,
    destination: str,
    persistent: bool,
    again: bool,
    at: datetime,
) -> str:
    """A request that the provider sign somebody in, and send the browser back to ``address`` with a form."""
    policy = samlp.NameIDPolicy(format=metadata.PERSISTENT, allow_create="true") if persistent else None
    return str(
        samlp.AuthnRequest(
            id=request_id,
            version="2.0",
            issue_instant=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            destination=destination,
            force_authn="true" if again else None,
            protocol_binding=metadata.POST,
            assertion_consumer_service_url=address,
            issuer=saml.Issuer(text=entity_id),
            name_id_policy=policy,
        )
    )


def sign_redirect(request: str, destination: str, relay_state: str, key_file: str) -> str:
    """The address at the provider that carries the request, signed with the portal's key."""
    key = load_pem_private_key(Path(key_file).read_bytes())
    sent = http_redirect_message(
        request, destination, relay_state, sigalg=metadata.RSA_SHA256, sign=True, backend=RSACrypto(key)
    )
    return str(dict(sent["headers"])["Location"])


# Runs xmlsec1, which checks signatures and decrypts: briefly, with little memory, and with given keys
# alone.
#
# What a signature covers is read from what xmlsec1 itself digested, not from the document around it. So
# there is no second reading of the document that could differ from the one that was checked: an element
# that was moved, copied or wrapped is either what the provider signed, or is never seen.

SECONDS = 5
MOST_KIBIBYTES = 512 * 1024  # of address space
# The limits of processor time and memory are xmlsec1's alone, since the shell becomes it.
LIMITED = ("/bin/sh", "-c", f'ulimit -t {SECONDS}; ulimit -v {MOST_KIBIBYTES}; exec "$0" "$@"', PROGRAM)
NOT_STARTED = {126, 127}  # what a shell says of a program that it cannot execute, or not find
NO_KEY_DATA = "raw-x509-cert"  # a kind that no document can hold: whatever key it carries is anybody's
_DIGESTED = re.compile(
    rb"^== PreDigest data - start buffer:\n(.*)\n== PreDigest data - end buffer$", re.S | re.M
)


def read_signed(document: bytes, element: str, element_id: str, public_keys: Sequence[bytes]) -> bytes:
    """The canonical form of an element, without its signature, as one of these keys signed it.

    Args:
        document: Whose shape was checked: the element has one signature, of itself alone.
        element: ``Assertion`` or ``Response``.
        element_id: Its ``ID``.
        public_keys: In PEM.

    Raises:
        ProviderUnavailableError: xmlsec1 does not run.
        TokenRefusedError: None of the keys signed it.
    """
    namespace = metadata.SAML if element == "Assertion" else metadata.SAMLP
    options = (
        *("--verify", "--store-references", "--enabled-reference-uris", "same-doc"),
        *("--enabled-key-data", NO_KEY_DATA, "--id-attr:ID", f"{namespace}:{element}"),
        *("--node-xpath", _path_of_signature(element, namespace, element_id), "--pubkey-pem"),
    )
    for key in public_keys:
        done = _run_xmlsec(options, document, key)
        if done.returncode == 0 and (digested := _DIGESTED.search(done.stdout)):
            return digested[1]
    raise TokenRefusedError("signature")


def decrypt(document: bytes, key_files: Sequence[str]) -> bytes:
    """The document with its one encrypted element in clear.

    Raises:
        ProviderUnavailableError: xmlsec1 does not run.
        TokenRefusedError: None of the keys decrypts it.
    """
    for key_file in key_files:
        done = _run_xmlsec(
            ("--decrypt", "--enabled-key-data", "enc-key,aes", "--privkey-pem"), document, Path(key_file)
        )
        if done.returncode == 0 and done.stdout:
            return done.stdout
    raise TokenRefusedError("decryption")


def _path_of_signature(element: str, namespace: str, element_id: str) -> str:
    """Where the signature is that is a child of the element; the id holds no quotation mark."""
    return (
        f"//*[local-name()='{element}'][namespace-uri()='{namespace}'][@ID='{element_id}']"
        f"/*[local-name()='Signature'][namespace-uri()='{metadata.DS}']"
    )


def _run_xmlsec(
    options: Sequence[str], document: bytes, key: bytes | Path
) -> "subprocess.CompletedProcess[bytes]":
    """Run xmlsec1 on a document with one key; its files are gone afterwards, whatever happens."""
    with tempfile.TemporaryDirectory(prefix="portal-saml-") as folder:
        if isinstance(key, bytes):
            (path := Path(folder) / "key.pem").write_bytes(key)
        else:
            path = key
        (file := Path(folder) / "document.xml").write_bytes(document)
        return _execute_command(options[0], *_search_options(), *options[1:], str(path), str(file))


@lru_cache(maxsize=1)
def _search_options() -> tuple[str, ...]:
    """What makes xmlsec1 use the given key although the document does not name it: from 1.3 on, an option."""
    stated = re.search(rb"(\d+)\.(\d+)", _execute_command("--version").stdout)
    is_strict = stated is not None and (int(stated[1]), int(stated[2])) >= (1, 3)
    return ("--lax-key-search",) if is_strict else ()


def _execute_command(*words: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        done = subprocess.run(  # noqa: S603 - no shell reads what was sent
            (*LIMITED, *words), stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise TokenRefusedError("too_slow") from error
    if done.returncode in NOT_STARTED:
        raise ProviderUnavailableError(f"{PROGRAM}_does_not_start")
    return done


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
        return describe_service(self._entity_id, self._address, settings.certificate_files)

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
        request = build_request(
            pending.nonce,
            entity_id=self._entity_id,
            address=self._address,
            destination=destination,
            persistent=not settings.subject_attribute,
            again=again,
            at=at,
        )
        return sign_redirect(request, destination, pending.state, settings.key_files[0]), pending

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
            covered = read_signed(document, "Response", response.response_id, keys)
        if response.cipher:
            clear, assertion_id = self._decrypt_response(response, covered)
        elif self._settings.encryption_required:
            raise TokenRefusedError("assertion_not_encrypted")
        else:
            clear, assertion_id = document, response.assertion_id
        signed = read_signed(clear, "Assertion", assertion_id, keys)
        _check_schema(document)  # which takes long: not for what nobody signed
        return read_assertion(signed, self._expected_assertion(), at)

    def _decrypt_response(self, response: ResponseShape, covered: bytes) -> tuple[bytes, str]:
        """A response with its assertion in clear, and that assertion's id.

        Args:
            response: Whose assertion is encrypted.
            covered: What the response's own signature covers; empty if it has none.
        """
        if response.cipher in metadata.PLAIN_CIPHERS and not covered:
            # Whoever changes what AES-CBC encrypts learns from each answer: what nobody signed is not tried.
            raise TokenRefusedError("cipher_without_signature")
        clear = decrypt(covered or response.document, self._settings.key_files)
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
