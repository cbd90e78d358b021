"""What a signed assertion says: for whom, about whom, and when. Pure: the time is an argument."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from xml.etree.ElementTree import ParseError

from saml2.saml import assertion_from_string

from portal.platform.openid.errors import ClockError, TokenRefusedError
from portal.platform.openid.subjects import LONGEST_VALUE, ProviderSubject
from portal.platform.saml import names
from portal.platform.saml.settings import NAME_ID

LEEWAY = timedelta(minutes=2)  # by which the two clocks may differ
LONGEST_WAY = timedelta(minutes=10)  # from an assertion's issue to here
CLOCK_AT_FAULT = timedelta(hours=1)  # beyond it an assertion is simply old


@dataclass(frozen=True, slots=True)
class ExpectedAssertion:
    """Who must have issued an assertion, for whom alone, and what of it names the person."""

    issuer: str
    audience: str
    recipient: str
    match_attribute: str
    subject_attribute: str  # empty: the persistent NameID


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """Who signed in and when, by which assertion, for which request."""

    subject: ProviderSubject
    assertion_id: str
    request_id: str
    signed_in_at: datetime  # when the person showed the provider who they are


def read_assertion(signed: bytes, expected: ExpectedAssertion, at: datetime) -> SignedStatement:
    """Who signed in, by an assertion of this provider for the portal, of now.

    Args:
        signed: The canonical form that the provider signed, without its signature.
        expected: What it must be.
        at: This instant.

    Raises:
        ClockError: It is not valid yet, or no more, by the portal's clock.
        TokenRefusedError: Anything else about it is not right.
    """
    if b"<?" in signed:  # in canonical form, a processing instruction: one reader may cut a text there
        raise TokenRefusedError("processing_instruction")
    try:
        assertion = assertion_from_string(signed)
    except ParseError as error:  # nothing was digested
        raise TokenRefusedError("no_assertion") from error
    if assertion is None or assertion.version != "2.0":
        raise TokenRefusedError("no_assertion")
    if _read_text(assertion.issuer) != expected.issuer:
        raise TokenRefusedError("issuer")
    _check_audience(assertion.conditions, expected.audience)
    bearer = _bearer_of(assertion.subject, expected.recipient)
    _check_times(assertion, bearer, at)
    if len(assertion.authn_statement) != 1:
        raise TokenRefusedError("nobody_signed_in")
    subject = ProviderSubject(
        expected.issuer,
        _lasting_subject(assertion, expected),
        _match_value(assertion, expected.match_attribute),
        None,
    )
    signed_in_at = _read_instant(assertion.authn_statement[0].authn_instant)
    return SignedStatement(subject, str(assertion.id), str(bearer.in_response_to or ""), signed_in_at)


def _check_audience(conditions: Any, audience: str) -> None:
    """Refuse an assertion that is for others too, or has conditions that the portal does not know."""
    if conditions is None or conditions.extension_elements or conditions.condition:
        raise TokenRefusedError("conditions")
    restrictions = [[_read_text(each) for each in one.audience] for one in conditions.audience_restriction]
    if restrictions != [[audience]]:
        raise TokenRefusedError("audience")


def _bearer_of(subject: Any, recipient: str) -> Any:
    """The one confirmation that whoever brings the assertion here is its subject."""
    confirmations = subject.subject_confirmation if subject is not None else []
    if len(confirmations) != 1 or confirmations[0].method != names.BEARER:
        raise TokenRefusedError("confirmation")
    data = confirmations[0].subject_confirmation_data
    if data is None or data.recipient != recipient:
        raise TokenRefusedError("recipient")
    if not data.in_response_to:
        raise TokenRefusedError("not_asked_for")
    return data


def _check_times(assertion: Any, bearer: Any, at: datetime) -> None:
    """Refuse an assertion that was not issued just now, or has run out."""
    issued = _read_instant(assertion.issue_instant)
    conditions = assertion.conditions
    begins = [_read_instant(each) for each in (conditions.not_before, bearer.not_before) if each]
    sessions = [each.session_not_on_or_after for each in assertion.authn_statement]
    limits = [each for each in (conditions.not_on_or_after, *sessions) if each]
    ends = [_read_instant(each) for each in (bearer.not_on_or_after, *limits)]  # the first must be there
    ahead = issued - at
    timely = -LONGEST_WAY <= ahead <= LEEWAY and all(begin <= at + LEEWAY for begin in begins)
    if timely and all(end > at - LEEWAY for end in ends):
        return
    if abs(ahead) <= CLOCK_AT_FAULT:
        raise ClockError(round(ahead.total_seconds()))
    raise TokenRefusedError("expired")


def _read_instant(stated: object) -> datetime:
    try:
        instant = datetime.fromisoformat(str(stated or ""))
    except ValueError as error:
        raise TokenRefusedError("times") from error
    if instant.tzinfo is None:
        raise TokenRefusedError("times")
    return instant


def _lasting_subject(assertion: Any, expected: ExpectedAssertion) -> str:
    """What identifies the person at the provider for ever."""
    if expected.subject_attribute:
        value = _read_attribute(assertion, expected.subject_attribute)
    else:
        name_id = assertion.subject.name_id
        if name_id is None or name_id.format != names.PERSISTENT:
            raise TokenRefusedError("name_id_not_persistent")
        # Another qualifier would say that the same text is somebody else's identifier.
        if (name_id.name_qualifier or expected.issuer) != expected.issuer:
            raise TokenRefusedError("name_qualifier")
        if (name_id.sp_name_qualifier or expected.audience) != expected.audience:
            raise TokenRefusedError("name_qualifier")
        value = _read_text(name_id)
    if not value:
        raise TokenRefusedError("subject")
    return value


def _match_value(assertion: Any, match_attribute: str) -> str:
    """What names a person in the roster; empty where it is missing, or an email address as NameID."""
    if match_attribute != NAME_ID:
        return _read_attribute(assertion, match_attribute)
    name_id = assertion.subject.name_id
    if name_id is None or name_id.format in {names.EMAIL, names.TRANSIENT}:
        return ""
    return _read_text(name_id)


def _read_attribute(assertion: Any, name: str) -> str:
    """The value of an attribute; empty where it is no single short text."""
    values = [
        value
        for statement in assertion.attribute_statement
        for attribute in statement.attribute
        if attribute.name == name
        for value in attribute.attribute_value
    ]
    return _read_text(values[0]) if len(values) == 1 else ""


def _read_text(element: Any) -> str:
    """The text of an element as the roster writes it; empty where it holds more, or is long or odd."""
    if element is None or element.extension_elements:
        return ""
    text = str(element.text or "").strip()
    return text if len(text) <= LONGEST_VALUE and text.isprintable() else ""
