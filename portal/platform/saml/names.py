"""Names that the SAML, signature and encryption standards give to elements, bindings and algorithms."""

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
