"""Keys and certificates that tests make for themselves."""

import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class KeyPair:
    """A private key and its certificate, in PEM."""

    private: bytes
    certificate: bytes

    @property
    def stated(self) -> str:
        """The certificate as metadata states it."""
        return "".join(self.certificate.decode().split("\n")[1:-2])

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Write both; returns their paths."""
        paths = folder / f"{name}.key", folder / f"{name}.pem"
        for path, content in zip(paths, (self.private, self.certificate), strict=True):
            path.write_bytes(content)
        return paths


@lru_cache
def make_pair(name: str, kind: str = "rsa", size: int = 2048) -> KeyPair:
    """A pair of this name, the same each time; its certificate ran out, which says nothing of the key."""
    key = rsa.generate_private_key(65537, size) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30))
        .not_valid_after(now - timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return KeyPair(private, certificate.public_bytes(Encoding.PEM))


def run_xmlsec(*words: str, document: str, folder: Path, key: bytes) -> str:
    """What xmlsec1 makes of a document with a key; ``KEY`` in the words is the key's file."""
    (key_file := folder / "signer.key").write_bytes(key)
    (file := folder / "document.xml").write_text(document)
    named = [str(key_file) if word == "KEY" else word for word in words]
    done = subprocess.run(["xmlsec1", *named, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
