"""Keys and certificates: those of the portal, and those by which an identity provider signs."""

import base64
import binascii
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

SMALLEST_RSA = 2048  # bits
SMALLEST_CURVE = 256


class KeyFaultError(Exception):
    """A key or certificate that cannot be used; the message says why, after the name of its setting."""


def check_own_keys(key_files: tuple[str, ...], certificate_files: tuple[str, ...]) -> None:
    """Check that there are one or two RSA keys, each with its own certificate, in the same order.

    Raises:
        KeyFaultError: They cannot be used.
    """
    if not 1 <= len(key_files) <= 2 or len(key_files) != len(certificate_files):
        raise KeyFaultError(
            "SAML_KEY_FILE and SAML_CERTIFICATE_FILE name one file each, or two while keys change."
        )
    for key_file, certificate_file in zip(key_files, certificate_files, strict=True):
        try:
            key = load_pem_private_key(Path(key_file).read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as error:
            raise KeyFaultError(
                "SAML_KEY_FILE names a file in PEM that can be read, without a password."
            ) from error
        if not isinstance(key, rsa.RSAPrivateKey) or key.key_size < SMALLEST_RSA:
            raise KeyFaultError(f"SAML_KEY_FILE holds an RSA key of {SMALLEST_RSA} bits or more.")
        try:
            certificate = x509.load_pem_x509_certificate(Path(certificate_file).read_bytes())
        except (OSError, ValueError) as error:
            raise KeyFaultError("SAML_CERTIFICATE_FILE names a file in PEM that can be read.") from error
        if certificate.public_key() != key.public_key():
            raise KeyFaultError("SAML_CERTIFICATE_FILE is not the certificate of SAML_KEY_FILE.")


def read_certificate(path: str) -> str:
    """A certificate of the portal as metadata states it: base64 without its first and last line."""
    certificate = x509.load_pem_x509_certificate(Path(path).read_bytes())
    return base64.b64encode(certificate.public_bytes(Encoding.DER)).decode()


def read_certificate_end(path: str) -> datetime:
    """When a certificate of the portal ends. That matters to the provider alone, which may refuse it."""
    return x509.load_pem_x509_certificate(Path(path).read_bytes()).not_valid_after_utc


def read_public_key(stated: str) -> bytes:
    """The public key, in PEM, of a certificate as metadata states it.

    The certificate's own dates and issuer say nothing here: metadata names the keys to trust.

    Raises:
        KeyFaultError: It is none, or too weak.
    """
    try:
        certificate = x509.load_der_x509_certificate(base64.b64decode("".join(stated.split()), validate=True))
        key = certificate.public_key()
    except (ValueError, binascii.Error) as error:
        raise KeyFaultError("holds a signing certificate that cannot be read") from error
    strong = (isinstance(key, rsa.RSAPublicKey) and key.key_size >= SMALLEST_RSA) or (
        isinstance(key, ec.EllipticCurvePublicKey) and key.curve.key_size >= SMALLEST_CURVE
    )
    if not strong:
        raise KeyFaultError("holds a signing certificate whose key is weak, or neither RSA nor ECDSA")
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
