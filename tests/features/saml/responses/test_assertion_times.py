"""When an assertion is believed: issued within ten minutes, and valid now, two minutes aside."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from portal.features.saml.responses import ExpectedAssertion, read_assertion
from portal.platform.openid.claims import ClockError, TokenRefusedError
from tests.features.saml.hostile_idp import ACS, AUDIENCE, ENTITY, HostileIdp
from tests.features.saml.keys import KeyPair

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
EXPECTED = ExpectedAssertion(ENTITY, AUDIENCE, ACS, "employee_id", "")
IDP = HostileIdp(Path(), pair=KeyPair(b"", b""))
LEEWAY, LONGEST_WAY = 120, 600
near = st.integers(-900, 900)


def stated(seconds: int) -> str:
    return (NOW + timedelta(seconds=seconds)).isoformat()


@given(issued=near, before=near, after=near, confirmed=near)
@example(issued=120, before=120, after=-119, confirmed=-119)
@example(issued=121, before=0, after=60, confirmed=60)
@example(issued=-600, before=-600, after=1, confirmed=1)
@example(issued=-601, before=-600, after=1, confirmed=1)
@example(issued=0, before=121, after=300, confirmed=300)
@example(issued=0, before=0, after=-120, confirmed=300)
@example(issued=0, before=0, after=300, confirmed=-120)
def test_an_assertion_is_believed_in_its_time_alone(
    issued: int, before: int, after: int, confirmed: int
) -> None:
    IDP.values = {
        "issued": stated(issued), "before": stated(before),
        "after": stated(after), "confirmed": stated(confirmed),
    }  # fmt: skip
    signed = IDP.assertion("_request", signature="").encode()
    in_time = -LONGEST_WAY <= issued <= LEEWAY and before <= LEEWAY and min(after, confirmed) > -LEEWAY

    if in_time:
        assert read_assertion(signed, EXPECTED, NOW).subject.subject == "jo"
    else:
        with pytest.raises(ClockError) as refused:
            read_assertion(signed, EXPECTED, NOW)
        assert refused.value.seconds == issued


@pytest.mark.parametrize("signed", [b"", b"<a/>", b"jo"], ids=["nothing", "other", "words"])
def test_what_is_no_assertion_is_not_believed(signed: bytes) -> None:
    with pytest.raises(TokenRefusedError, match="no_assertion"):
        read_assertion(signed, EXPECTED, NOW)
