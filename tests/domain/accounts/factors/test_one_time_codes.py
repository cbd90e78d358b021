"""One-time codes: right for half a minute and one beside it, once, however they are typed."""

from datetime import UTC, datetime, timedelta

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.domain.accounts import factors
from portal.domain.accounts.factors import FactorKind
from portal.domain.accounts.models import Factor, RecoveryCode
from portal.platform import clock
from portal.platform.db import db, transaction
from tests.conftest import SECRET
from tests.domain.accounts.factors.making import add_codes, code_of
from tests.pages.account.browsing import make_account

KEY = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
# RFC 6238, appendix B, the last six of its eight digits: SHA-1, the key "12345678901234567890".
VECTORS = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
INSTANTS = st.datetimes(datetime(2024, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))


@pytest.mark.parametrize(("seconds", "code"), VECTORS)
def test_codes_are_those_of_the_standard(seconds: int, code: str) -> None:
    at = datetime.fromtimestamp(seconds, UTC)

    assert factors.matching_step("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", code, at, None) == seconds // 30


@given(INSTANTS, st.integers(-10, 10))
def test_a_code_is_right_one_step_before_and_after_its_own(at: datetime, apart: int) -> None:
    code = pyotp.TOTP(KEY).at(at, counter_offset=apart)
    step = factors.matching_step(KEY, code, at, None)

    near = {pyotp.TOTP(KEY).at(at, counter_offset=one) for one in (-1, 0, 1)}
    assert (step is not None) == (code in near)


@given(INSTANTS, st.lists(st.tuples(st.integers(0, 90), st.integers(-2, 2)), max_size=12))
def test_no_code_counts_twice_whatever_the_order(at: datetime, tries: list[tuple[int, int]]) -> None:
    used: list[int] = []
    for seconds, apart in tries:
        at += timedelta(seconds=seconds)
        code = pyotp.TOTP(KEY).at(at, counter_offset=apart)
        step = factors.matching_step(KEY, code, at, used[-1] if used else None)
        if step is not None:
            used.append(step)

    assert used == sorted(set(used))


@given(st.text(max_size=300))
def test_whatever_is_typed_is_a_code_or_none(typed: str) -> None:
    code = factors.normalise_code(typed)

    if factors.is_one_time_code(code):
        assert code.isascii()
        assert code.isdigit()
        assert len(code) == 6


def test_a_secret_opens_for_its_person_and_under_its_key_alone() -> None:
    sealed = factors.encrypt_secret(KEY, 7, SECRET)

    assert KEY.encode() not in sealed
    assert factors.decrypt_secret(sealed, 7, SECRET) == KEY
    for person, key, bytes_ in ((8, SECRET, sealed), (7, "other", sealed), (7, SECRET, sealed[:-1] + b"x")):
        assert factors.decrypt_secret(bytes_, person, key) is None
    assert factors.decrypt_secret(b"", 7, SECRET) is None


def accepted(person: int, typed: str) -> FactorKind | None:
    with transaction():
        return factors.accept_code(person, typed, SECRET, clock.now())


@pytest.mark.usefixtures("database")
def test_a_code_counts_once_for_its_person_alone() -> None:
    person, other = make_account("D1001"), make_account("D1002")
    secret = add_codes(person)
    code = code_of(secret)

    assert accepted(other, code) is None
    assert accepted(person, f" {code[:3]} {code[3:]} ") is FactorKind.CODE
    assert accepted(person, code) is None
    assert accepted(person, code_of(secret, 1)) is FactorKind.CODE
    assert accepted(person, code_of(secret)) is None  # of before the last one


@pytest.mark.usefixtures("database")
def test_after_the_portals_key_changed_a_code_is_wrong_and_nothing_breaks() -> None:
    person = make_account()
    code = code_of(add_codes(person))

    with transaction():
        assert factors.accept_code(person, code, "another secret key of the portal", clock.now()) is None


@pytest.mark.usefixtures("database")
def test_each_recovery_code_counts_once_and_a_new_set_replaces_the_old() -> None:
    person, other = make_account("D1001"), make_account("D1002")
    with transaction():
        first = factors.replace_codes(person, SECRET, clock.now())
        factors.replace_codes(other, SECRET, clock.now())

    assert len(set(first)) == 10
    assert accepted(other, first[0]) is None
    assert accepted(person, first[0].lower().replace("-", " ")) is FactorKind.RECOVERY
    assert accepted(person, first[0]) is None
    assert factors.count_unused_codes(person) == 9

    with transaction():
        second = factors.replace_codes(person, SECRET, clock.now())
    assert accepted(person, first[1]) is None
    assert accepted(person, second[1]) is FactorKind.RECOVERY


@pytest.mark.usefixtures("database")
def test_the_database_has_neither_secret_nor_code() -> None:
    person = make_account()
    secret = add_codes(person)
    with transaction():
        codes = factors.replace_codes(person, SECRET, clock.now())

    factor = db.session.query(Factor).one()
    assert secret.encode() not in (factor.sealed_secret or b"")
    hashes = {row.code_hash for row in db.session.query(RecoveryCode)}
    assert len(hashes) == 10
    assert not hashes & set(codes)
