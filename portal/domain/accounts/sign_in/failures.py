"""Counts failed sign-ins in the database, for all processes, and makes further ones wait."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, func, select

from portal.domain.accounts import retention
from portal.domain.accounts.models import SignInFailure
from portal.domain.accounts.sign_in import known_browsers, throttle
from portal.platform.column_types import UtcDateTime
from portal.platform.db import db, read
from portal.platform.errors import TooManyError

THROTTLED_MESSAGE = (
    "Too many tries at this account have failed. If you cannot wait, use a browser you have signed in from "
    "before, or ask for a new link to set your password."
)
_BROWSER = "browser:"  # a place that begins so is a browser that the account used before
_MOST_READ = 300  # failures; more than the rules let through within FAILURE_MEMORY

_FAILURES: Any = (
    select(SignInFailure.address, SignInFailure.failed_at)
    .where(
        SignInFailure.account_hash == bindparam("account"),
        SignInFailure.failed_at > bindparam("since", type_=UtcDateTime()),
    )
    .order_by(SignInFailure.failed_at.desc())
    .limit(_MOST_READ)
)


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """One attempt to sign in: to which account, and from where."""

    account: str  # its key, whether or not there is such an account
    place: str  # the address or network, or the browser where this account used it before

    @property
    def is_from_known_browser(self) -> bool:
        """Whether it comes from a browser that the account used before."""
        return is_known_browser(self.place)


def describe_attempt(account: str, address: str, browser_token: str | None) -> SignInAttempt:
    """Describe an attempt; looks up whether the account has used this browser before."""
    known = known_browsers.find_browser_hash(account, browser_token) if browser_token else None
    return SignInAttempt(account, f"{_BROWSER}{known}" if known else throttle.network_of(address))


def refuse_throttled(attempt: SignInAttempt, at: datetime, *, lock: bool = False) -> int:
    """Raise if the account must wait; called before the password is checked, so even if it is right.

    Called again with ``lock`` in the transaction that records the outcome: attempts sent at the same time are
    then judged one after the other, and those beyond the limit learn nothing about their password.

    Returns:
        How many recent failures the account has at this place.

    Raises:
        TooManyError: The account, or the account from this place, must wait.
    """
    if lock:
        _lock_account(attempt.account)
    rows = read(_FAILURES, {"account": attempt.account, "since": at - throttle.FAILURE_MEMORY})[::-1]
    here = [failed_at for place, failed_at in rows if place == attempt.place]
    noisy = bool(here) and not attempt.is_from_known_browser and is_noisy(attempt.place, at)
    wait = wait_at(attempt.place, rows, noisy, at)
    if wait > timedelta():
        raise TooManyError(THROTTLED_MESSAGE, math.ceil(wait.total_seconds()))
    return len(here)


def wait_at(place: str, failures: Sequence[Any], noisy: bool, at: datetime) -> timedelta:
    """How long an account must wait at a place.

    Args:
        place: An address or network, or a browser that the account used before.
        failures: The account's recent failures, oldest first: each its place and its instant.
        noisy: Whether many sign-ins to any accounts failed from this place.
        at: This instant.
    """
    here = [failed_at for other, failed_at in failures if other == place]
    wait = throttle.wait_after(here, throttle.PLACE_RULE, at)
    if is_known_browser(place):
        return wait
    if noisy:
        wait = max(wait, throttle.wait_after(here, throttle.NOISY_PLACE_RULE, at))
    return max(wait, wait_everywhere(failures, at))


def wait_everywhere(failures: Sequence[Any], at: datetime) -> timedelta:
    """How long an account must wait wherever it did not sign in before; failures as of ``wait_at``."""
    strange = [failed_at for place, failed_at in failures if not is_known_browser(place)]
    return throttle.wait_after(strange, throttle.ACCOUNT_RULE, at)


def is_known_browser(place: str) -> bool:
    """Whether a place of a failure is a browser that the account used before."""
    return place.startswith(_BROWSER)


def is_noisy(place: str, at: datetime) -> bool:
    """Whether more sign-ins failed from this place, to any accounts, than people's mistakes explain."""
    hundredth_last = db.session.scalar(
        select(SignInFailure.failed_at)
        .where(SignInFailure.address == place, SignInFailure.failed_at > at - throttle.NOISE_WINDOW)
        .order_by(SignInFailure.failed_at.desc())
        .offset(throttle.NOISE_THRESHOLD - 1)
        .limit(1)
    )
    return hundredth_last is not None


def _lock_account(account: str) -> None:
    # SQLite has one writer at a time; on PostgreSQL two transactions would not see each other's failures.
    if db.engine.dialect.name == "postgresql":
        db.session.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(account, 7241002))))


def record_failure(attempt: SignInAttempt, at: datetime) -> None:
    """Count a failed attempt."""
    retention.delete_old_failures(at)
    db.session.add(SignInFailure(account_hash=attempt.account, address=attempt.place, failed_at=at))


def forget_failures(attempt: SignInAttempt) -> None:
    """Delete the failures of the account from this place: its owner signed in."""
    db.session.execute(
        delete(SignInFailure).where(
            SignInFailure.account_hash == attempt.account, SignInFailure.address == attempt.place
        )
    )
