"""Reading a response now: what it says, or why it is not believed."""

import base64

import pytest

from portal.features.saml.provider import SamlProvider
from portal.features.saml.responses import SignedStatement
from portal.platform import clock
from portal.platform.openid.claims import TokenRefusedError


def read(provider: SamlProvider, document: str | bytes) -> SignedStatement:
    """Who signed in, by this response."""
    content = document.encode() if isinstance(document, str) else document
    return provider.read_response(base64.b64encode(content).decode(), clock.now())


def reason_of(provider: SamlProvider, document: str | bytes) -> str:
    """The word for the log that says why this response is not believed."""
    with pytest.raises(TokenRefusedError) as refused:
        read(provider, document)
    return refused.value.reason
