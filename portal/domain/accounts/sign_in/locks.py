"""Which accounts must wait after failed sign-ins, for administrators, who can lift it.

The key of a failure does not say whose account it is, so the people in question are hashed and compared, and
only while some account must wait. What is computed here is what ``failures`` refuses.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, or_, select

from portal.domain.accounts.models import SignInFailure
from portal.domain.accounts.sign_in import failures, throttle
from portal.domain.accounts.sign_in.tokens import account_key
from portal.platform.audit.services import log
from portal.platform.db import db


@dataclass(frozen=True, slots=True)
class SignInLock:
    """Until when an account must wait, and where."""

    until: datetime
    everywhere: bool  # in every browser not used before; otherwise where the sign-ins failed


def find_locks(at: datetime, account: str | None = None) -> dict[str, SignInLock]:
    """The accounts that must wait now, by the keys of their failures. Two statements.

    Args:
        at: This instant.
        account: The key of the only account in question; None for all.
    """
    noisy = set(
        db.session.scalars(
            select(SignInFailure.address)
            .where(SignInFailure.failed_at > at - throttle.NOISE_WINDOW)
            .group_by(SignInFailure.address)
            .having(func.count() >= throttle.NOISE_THRESHOLD)
        )
    )
    recent = SignInFailure.failed_at > at - throttle.FAILURE_MEMORY
    if account is not None:
        recent &= SignInFailure.account_hash == account
    often = (
        select(SignInFailure.account_hash)
        .where(recent)
        .group_by(SignInFailure.account_hash)
        .having(func.count() >= throttle.PLACE_RULE.allowed_failures)
    )
    rows = db.session.execute(
        select(SignInFailure.account_hash, SignInFailure.address, SignInFailure.failed_at)
        .where(recent, or_(SignInFailure.account_hash.in_(often), SignInFailure.address.in_(noisy)))
        .order_by(SignInFailure.failed_at)
    )
    by_account: dict[str, list[tuple[str, datetime]]] = defaultdict(list)
    for account_hash, place, failed_at in rows:
        by_account[account_hash].append((place, failed_at))
    locks = {each: _lock_after(tries, noisy, at) for each, tries in by_account.items()}
    return {each: lock for each, lock in locks.items() if lock is not None}


def _lock_after(tries: list[tuple[str, datetime]], noisy: set[str], at: datetime) -> SignInLock | None:
    places = {place for place, _ in tries}
    longest = max(failures.wait_at(place, tries, place in noisy, at) for place in places)
    if longest <= timedelta():
        return None
    return SignInLock(at + longest, everywhere=failures.wait_everywhere(tries, at) > timedelta())


def locks_of_people(people: Iterable[int], locks: dict[str, SignInLock], key: str) -> dict[int, SignInLock]:
    """The locks of these people.

    Args:
        people: Whose.
        locks: All, of ``find_locks``.
        key: The portal's secret, under which the accounts of failures are hashed.
    """
    if not locks:
        return {}
    keys = ((person_id, account_key(person_id, "", key)) for person_id in people)
    return {person_id: locks[account] for person_id, account in keys if account in locks}


def find_lock_of(person_id: int, key: str, at: datetime) -> SignInLock | None:
    """The lock of one person's account, if there is one."""
    account = account_key(person_id, "", key)
    return find_locks(at, account).get(account)


def lift_lock(person_id: int, key: str, *, by: int | None) -> bool:
    """Forget the failed sign-ins to the person's account, so that nobody need wait there; safe to repeat.

    Returns:
        Whether there were any.
    """
    lifted = db.session.scalars(
        delete(SignInFailure)
        .where(SignInFailure.account_hash == account_key(person_id, "", key))
        .returning(SignInFailure.id),
        execution_options={"synchronize_session": False},
    ).all()
    if lifted:
        log("account.unlocked", actor_id=by, subject_id=person_id)
    return bool(lifted)
