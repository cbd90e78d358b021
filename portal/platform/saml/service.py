"""What the portal says of itself to an identity provider: its metadata, and its signed requests."""

from datetime import datetime
from pathlib import Path

from saml2 import md, saml, samlp, xmldsig
from saml2.cryptography.asymmetric import load_pem_private_key
from saml2.pack import http_redirect_message
from saml2.sigver import RSACrypto

from portal.platform.saml import names
from portal.platform.saml.keys import read_certificate


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
        for cipher in (*names.AUTHENTICATED_CIPHERS, *names.PLAIN_CIPHERS, names.KEY_TRANSPORT)
    ]
    described = md.EntityDescriptor(
        entity_id=entity_id,
        spsso_descriptor=md.SPSSODescriptor(
            protocol_support_enumeration=names.SAMLP,
            authn_requests_signed="true",
            want_assertions_signed="true",
            key_descriptor=[
                *(_describe_key("signing", each) for each in certificates),
                *(_describe_key("encryption", each, ciphers) for each in certificates),
            ],
            name_id_format=[md.NameIDFormat(text=names.PERSISTENT)],
            assertion_consumer_service=[
                md.AssertionConsumerService(
                    binding=names.POST, location=address, index="0", is_default="true"
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
    policy = samlp.NameIDPolicy(format=names.PERSISTENT, allow_create="true") if persistent else None
    return str(
        samlp.AuthnRequest(
            id=request_id,
            version="2.0",
            issue_instant=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            destination=destination,
            force_authn="true" if again else None,
            protocol_binding=names.POST,
            assertion_consumer_service_url=address,
            issuer=saml.Issuer(text=entity_id),
            name_id_policy=policy,
        )
    )


def sign_redirect(request: str, destination: str, relay_state: str, key_file: str) -> str:
    """The address at the provider that carries the request, signed with the portal's key."""
    key = load_pem_private_key(Path(key_file).read_bytes())
    sent = http_redirect_message(
        request, destination, relay_state, sigalg=names.RSA_SHA256, sign=True, backend=RSACrypto(key)
    )
    return str(dict(sent["headers"])["Location"])
