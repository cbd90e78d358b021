"""By what a person is known at a provider: the subject, and of Microsoft Entra ID the tenant's object."""

import pytest

from portal.platform.openid.claims import TokenRefusedError, subject_of_claims

TENANT, PERSON = "6f3c1a52-0b7e-4d8f-9a51-2c4e8b7d9f10", "0f9d2b7a-5c1e-4b1d-8a35-b1f04e6f2c11"
ENTRA = f"https://login.microsoftonline.com/{TENANT}/v2.0"
CLAIMS = {"sub": "differs-for-each-client", "tid": TENANT, "oid": PERSON, "employee_id": "D1001", "sid": "s"}


def test_of_entra_it_is_tenant_and_object():
    subject = subject_of_claims(CLAIMS, ENTRA, "employee_id")

    assert (subject.subject, subject.match_value, subject.provider_sid) == (
        f"{TENANT}/{PERSON}",
        "D1001",
        "s",
    )


@pytest.mark.parametrize("change", [{"oid": None}, {"tid": ""}, {"oid": 7}, {"tid": [TENANT]}])
def test_of_entra_nothing_else_will_do(change):
    with pytest.raises(TokenRefusedError, match="tid_or_oid_missing"):
        subject_of_claims(CLAIMS | change, ENTRA, "employee_id")


@pytest.mark.parametrize(
    "issuer", ["https://login.example", "https://login.microsoftonline.com.evil.example/x/v2.0"]
)
def test_of_any_other_provider_it_is_sub(issuer):
    assert subject_of_claims(CLAIMS, issuer, "employee_id").subject == "differs-for-each-client"


@pytest.mark.parametrize("sid", [None, "", 7, "x" * 256, "a\x00b"])
def test_a_session_that_is_no_short_text_is_none(sid):
    assert subject_of_claims(CLAIMS | {"sid": sid}, ENTRA, "employee_id").provider_sid is None


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("D1001", "D1001"),
        (" D1001 ", "D1001"),
        (1001, "1001"),
        ("00123", "00123"),
        (1.5, ""),
        (True, ""),
        (["D1001"], ""),
        ({"a": 1}, ""),
        ("", ""),
        ("D\n1", ""),
        ("x" * 256, ""),
    ],
    ids=str,
)
def test_the_claim_that_names_a_person_is_one_short_value(value, text):
    assert subject_of_claims(CLAIMS | {"employee_id": value}, ENTRA, "employee_id").match_value == text
