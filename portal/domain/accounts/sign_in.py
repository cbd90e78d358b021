"""Signing in: failures and the waits after them, browsers, and forms that are held."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from sqlalchemy import bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from portal.domain.accounts import retention
from portal.domain.accounts.models import (
    HeldForm,
    KnownBrowser,
    LastSignIn,
    PendingPasswordSignIn,
    ResetRequest,
    SignInFailure,
    SignInSession,
)
from portal.domain.accounts.queries import find_account
from portal.domain.accounts.tokens import (
    account_key,
    decrypt_form,
    encrypt_form,
    hash_browser,
    hash_token,
    new_token,
)
from portal.platform.audit import log
from portal.platform.db import UtcDateTime, db, read, write_row
from portal.platform.errors import ConflictError, TooManyError

# Holds forms sent after their session ended, and pages that refuse one, encrypted, for the same browser.

FORM_RETENTION = timedelta(minutes=60)
MOST_FORMS_A_PERSON = 20  # beyond it the oldest is deleted, so that nobody fills the disk


@dataclass(frozen=True, slots=True)
class DecryptedForm:
    """A held form, decrypted with the token of its browser."""

    token_hash: str
    path: str
    body: str  # application/x-www-form-urlencoded; of a refusal, as it was given
    held_at: datetime


def hold_form(person_id: int, path: str, body: str, at: datetime, *, token: str = "") -> str:
    """Hold a form that was sent after its session ended, or the page that refuses one; none with a secret.

    Args:
        person_id: Who sent it.
        path: Its address.
        body: Its fields; of a page that refuses it, that page.
        at: Now.
        token: The only key to it; by default a new one.

    Returns:
        The token that the same browser must send to get the form back; nothing else decrypts it.
    """
    retention.delete_expired_forms(at)
    surplus = db.session.scalars(
        select(HeldForm.token_hash)
        .where(HeldForm.person_id == person_id)
        .order_by(HeldForm.held_at.desc())
        .offset(MOST_FORMS_A_PERSON - 1)
    ).all()
    db.session.execute(delete(HeldForm).where(HeldForm.token_hash.in_(surplus)))
    token = token or new_token()
    db.session.add(
        HeldForm(
            token_hash=hash_token(token),
            person_id=person_id,
            sealed=encrypt_form(token, person_id, path, body),
            held_at=at,
            expires_at=at + FORM_RETENTION,
        )
    )
    return token


def list_waiting_hashes(tokens: Collection[str], person_id: int, at: datetime) -> list[str]:
    """Hashes of the tokens under which forms of this person are held, the oldest form first."""
    if not tokens:
        return []
    return list(
        db.session.scalars(
            select(HeldForm.token_hash)
            .where(
                HeldForm.token_hash.in_([hash_token(token) for token in tokens]),
                HeldForm.person_id == person_id,
                HeldForm.expires_at > at,
            )
            .order_by(HeldForm.held_at)
        )
    )


def list_waiting_forms(tokens: Collection[str], person_id: int, at: datetime) -> list[DecryptedForm]:
    """This person's unexpired held forms that this browser's tokens can decrypt, the oldest first."""
    tokens_of = {hash_token(token): token for token in tokens}
    hashes = list_waiting_hashes(tokens, person_id, at)
    rows = db.session.scalars(
        select(HeldForm).where(HeldForm.token_hash.in_(hashes)).order_by(HeldForm.held_at)
    )
    forms = []
    for row in rows:
        content = decrypt_form(tokens_of[row.token_hash], person_id, row.sealed)
        if content is not None:
            forms.append(DecryptedForm(row.token_hash, *content, row.held_at))
    return forms


def delete_form(hashed_token: str, person_id: int) -> None:
    """Delete a held form that was carried out."""
    db.session.execute(
        delete(HeldForm).where(HeldForm.token_hash == hashed_token, HeldForm.person_id == person_id)
    )


def delete_forms_of_person(person_id: int) -> None:
    """Delete every held form of the person."""
    db.session.execute(delete(HeldForm).where(HeldForm.person_id == person_id))


# Browsers from which an account signed in before; failures elsewhere never make them wait.
#
# A browser has one signed token in a long-lived cookie, for all who use it. The database has, for each
# account that used it, a hash of both, which does not show that two people share a machine.

MOST_BROWSERS = 10  # of one person; beyond it the one unused for longest is deleted
_NOTED_EVERY = timedelta(days=1)  # how often its last use is written
_LAST_USE = select(KnownBrowser.used_at).where(KnownBrowser.browser_hash == bindparam("browser_hash"))
_BROWSERS = (
    select(KnownBrowser.browser_hash, KnownBrowser.used_at)
    .where(KnownBrowser.person_id == bindparam("person_id"))
    .order_by(KnownBrowser.used_at.desc())
)
_INSERT_BROWSER = insert(KnownBrowser)


def find_browser_hash(account: str, token: str) -> str | None:
    """The stored hash of this browser; None if the account never used it."""
    browser_hash = hash_browser(token, account)
    return browser_hash if read(_LAST_USE, {"browser_hash": browser_hash}) else None


def remember_browser(person_id: int, account: str, token: str, at: datetime) -> None:
    """Record that the person signed in from this browser."""
    browser_hash = hash_browser(token, account)
    used_at = dict(map(tuple, read(_BROWSERS, {"person_id": person_id})))  # the one used last first
    if browser_hash in used_at:
        if at - used_at[browser_hash] >= _NOTED_EVERY:
            statement = update(KnownBrowser).where(KnownBrowser.browser_hash == browser_hash)
            db.session.execute(statement.values(used_at=at))
        return
    if surplus := [*used_at][MOST_BROWSERS - 1 :]:
        db.session.execute(delete(KnownBrowser).where(KnownBrowser.browser_hash.in_(surplus)))
    write_row(_INSERT_BROWSER, {"browser_hash": browser_hash, "person_id": person_id, "used_at": at})


def forget_browsers(person_id: int) -> None:
    """Delete every known browser of the person."""
    db.session.execute(delete(KnownBrowser).where(KnownBrowser.person_id == person_id))


# Signing in again in an open session, as what matters most asks for.


def renew_session(token_hash: str, person_id: int, at: datetime, *, method: str, factor: str | None) -> str:
    """Note that the session's person has just signed in again, and give the session a new token.

    A copy of the old token, wherever it is, opens nothing from now on.

    Args:
        token_hash: Of the session's token.
        person_id: Its person.
        at: This instant.
        method: How the person showed who they are this time.
        factor: The second factor that they showed this time; None: the session keeps the one that it has.

    Returns:
        The new token for the browser.

    Raises:
        ConflictError: The session has ended meanwhile.
    """
    token = replace_token(token_hash, factor=factor, authenticated_at=at)
    log("account.signed_in_again", actor_id=person_id, subject_id=person_id, method=method, factor=factor)
    return token


def replace_token(token_hash: str, *, factor: str | None, **values: datetime) -> str:
    """Give the session a new token, because it may do more from now on.

    Args:
        token_hash: Of the token until now.
        factor: The second factor that was shown; None: the session keeps the one that it has.
        values: What else is noted of the session.
    """
    token = new_token()
    renewed = db.session.scalars(
        update(SignInSession)
        .where(SignInSession.token_hash == token_hash, SignInSession.ended_at.is_(None))
        .values(token_hash=hash_token(token), factor=func.coalesce(factor, SignInSession.factor), **values)
        .returning(SignInSession.reference),
        execution_options={"synchronize_session": False},
    ).all()
    if not renewed:
        raise ConflictError("You have been signed out meanwhile. Sign in again.")
    return token


# How long to wait after failed sign-ins: pure arithmetic over instants.
#
# Three rules slow a guesser. Each counts only failures of the account that is tried, so an account whose
# password nobody guesses never waits, whatever else its address sends.

FIRST_WAIT = timedelta(minutes=1)
FAILURE_MEMORY = timedelta(hours=2)  # older failures of an account do not count


@dataclass(frozen=True, slots=True)
class ThrottleRule:
    """After how many failures one must wait, and how long."""

    allowed_failures: int  # failures within the window that begin the first wait, of a minute
    window: timedelta
    longest_wait: timedelta  # each further failure doubles the wait, up to this


# One account from one place: an address, or a browser that the account used before.
PLACE_RULE = ThrottleRule(5, timedelta(minutes=15), timedelta(minutes=15))
# The same, if NOISE_THRESHOLD sign-ins failed from the address within the hour.
NOISY_PLACE_RULE = ThrottleRule(1, timedelta(hours=1), timedelta(hours=1))
# One account from all addresses together; known browsers neither count nor wait.
ACCOUNT_RULE = ThrottleRule(20, timedelta(hours=1), timedelta(minutes=15))

NOISE_THRESHOLD = 100  # failures of any accounts from one address
NOISE_WINDOW = timedelta(hours=1)


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 a subscriber's whole network, since its hosts are free.

    >>> network_of("2001:db8:1:2::7"), network_of("192.0.2.7"), network_of("")
    ('2001:db8:1:2::/64', '192.0.2.7', '')
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((int(parsed), 64), strict=False))
    return address


def wait_after(failures: Sequence[datetime], rule: ThrottleRule, at: datetime) -> timedelta:
    """How long to wait at ``at`` after these failures, oldest first.

    ``rule.allowed_failures`` within the window begin a wait of a minute after the last; each further one
    doubles it. After twice the window without a failure the count begins again. Never longer than
    ``rule.longest_wait``, even if the machine's clock stepped back.
    """
    level, last = 0, None
    for index, failed_at in enumerate(failures):
        if last is not None and failed_at - last > 2 * rule.window:
            level = 0
        first = failures[index - rule.allowed_failures + 1] if index >= rule.allowed_failures - 1 else None
        if level or (first is not None and failed_at - first <= rule.window):
            level += 1
        last = failed_at
    if last is None or not level:
        return timedelta()
    doublings: int = 2 ** min(level - 1, 10)
    wait = min(rule.longest_wait, FIRST_WAIT * doublings)
    return min(rule.longest_wait, max(timedelta(), last + wait - at))


# Counts failed sign-ins in the database, for all processes, and makes further ones wait.

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
    known = find_browser_hash(account, browser_token) if browser_token else None
    return SignInAttempt(account, f"{_BROWSER}{known}" if known else network_of(address))


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
    rows = read(_FAILURES, {"account": attempt.account, "since": at - FAILURE_MEMORY})[::-1]
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
    wait = wait_after(here, PLACE_RULE, at)
    if is_known_browser(place):
        return wait
    if noisy:
        wait = max(wait, wait_after(here, NOISY_PLACE_RULE, at))
    return max(wait, wait_everywhere(failures, at))


def wait_everywhere(failures: Sequence[Any], at: datetime) -> timedelta:
    """How long an account must wait wherever it did not sign in before; failures as of ``wait_at``."""
    strange = [failed_at for place, failed_at in failures if not is_known_browser(place)]
    return wait_after(strange, ACCOUNT_RULE, at)


def is_known_browser(place: str) -> bool:
    """Whether a place of a failure is a browser that the account used before."""
    return place.startswith(_BROWSER)


def is_noisy(place: str, at: datetime) -> bool:
    """Whether more sign-ins failed from this place, to any accounts, than people's mistakes explain."""
    hundredth_last = db.session.scalar(
        select(SignInFailure.failed_at)
        .where(SignInFailure.address == place, SignInFailure.failed_at > at - NOISE_WINDOW)
        .order_by(SignInFailure.failed_at.desc())
        .offset(NOISE_THRESHOLD - 1)
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


# Which accounts must wait after failed sign-ins, for administrators, who can lift it.
#
# The key of a failure does not say whose account it is, so the people in question are hashed and
# compared, and only while some account must wait. What is computed here is what ``failures`` refuses.


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
            .where(SignInFailure.failed_at > at - NOISE_WINDOW)
            .group_by(SignInFailure.address)
            .having(func.count() >= NOISE_THRESHOLD)
        )
    )
    recent = SignInFailure.failed_at > at - FAILURE_MEMORY
    if account is not None:
        recent &= SignInFailure.account_hash == account
    often = (
        select(SignInFailure.account_hash)
        .where(recent)
        .group_by(SignInFailure.account_hash)
        .having(func.count() >= PLACE_RULE.allowed_failures)
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
    longest = max(wait_at(place, tries, place in noisy, at) for place in places)
    if longest <= timedelta():
        return None
    return SignInLock(at + longest, everywhere=wait_everywhere(tries, at) > timedelta())


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


# Requests at sign-in for a link by mail, from people who cannot sign in.
#
# Whoever asks learns nothing: the page only records the request, by the same statements for every name,
# and a worker decides later who gets a mail.

REQUEST_RETENTION = timedelta(hours=1)
MOST_REQUESTS = 600  # from one network within the hour; a whole force may be behind one address


def record_request(typed: str, address: str, at: datetime) -> bool:
    """Record that somebody asked for a link, whether or not anybody has this name.

    Args:
        typed: A staff number or an email address; it is not stored.
        address: Where the request comes from.
        at: This instant.

    Returns:
        Whether the network is within its limit; beyond it, its oldest request makes room for this one, and
        nobody gets a mail.
    """
    network = network_of(address)
    own = (ResetRequest.network == network, ResetRequest.asked_at > at - REQUEST_RETENTION)
    person_id = find_account(typed).person_id
    count = db.session.scalar(select(func.count()).where(*own)) or 0
    is_within_limit = count < MOST_REQUESTS
    db.session.execute(delete(ResetRequest).where(ResetRequest.asked_at <= at - REQUEST_RETENTION))
    if not is_within_limit:
        oldest = select(ResetRequest.id).where(*own).order_by(ResetRequest.asked_at, ResetRequest.id).limit(1)
        db.session.execute(delete(ResetRequest).where(ResetRequest.id == oldest.scalar_subquery()))
    row = {"person_id": person_id if is_within_limit else None, "network": network, "asked_at": at}
    db.session.execute(insert(ResetRequest).values(handled_at=None, **row))
    return is_within_limit


def has_open_requests() -> bool:
    """Whether a request waits for a worker."""
    return bool(db.session.scalar(select(exists().where(ResetRequest.handled_at.is_(None)))))


# A person's last sign-in, kept apart from sessions, which are deleted a week after they expired.


@dataclass(frozen=True, slots=True)
class LatestSignIn:
    """When, how and where somebody signed in last."""

    signed_in_at: datetime
    method: str
    browser: str
    address: str


def _build_upsert(insert: Any) -> Any:
    statement = insert(LastSignIn)
    kept = {name: statement.excluded[name] for name in ("signed_in_at", "method", "browser", "address")}
    return statement.on_conflict_do_update(index_elements=[LastSignIn.person_id], set_=kept)


_UPSERTS = {"postgresql": _build_upsert(postgresql.insert), "sqlite": _build_upsert(sqlite.insert)}


def record_sign_in(person_id: int, at: datetime, method: str, browser: str, address: str) -> None:
    """Record that the person signs in, in the caller's transaction. One statement, also for two at once."""
    values = {"signed_in_at": at, "method": method, "browser": browser, "address": address}
    write_row(_UPSERTS[db.engine.dialect.name], {"person_id": person_id, **values})


def find_last_sign_in(person_id: int) -> LatestSignIn | None:
    """The person's last sign-in; None if they never signed in. One statement."""
    row = db.session.execute(
        select(LastSignIn.signed_in_at, LastSignIn.method, LastSignIn.browser, LastSignIn.address).where(
            LastSignIn.person_id == person_id
        )
    ).one_or_none()
    return None if row is None else LatestSignIn(*row)


# Sign-ins whose password was right, between the two factors: kept on the server, good in one browser.

LASTS = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class AwaitedFactor:
    """Whose second factor is awaited."""

    person_id: int
    must_change: bool  # the password is weak


def begin(person_id: int, at: datetime, *, must_change: bool) -> str:
    """Await the person's second factor; returns the token for their browser."""
    retention.delete_old_factor_rows(at)
    token = new_token()
    db.session.add(
        PendingPasswordSignIn(
            token_hash=hash_token(token),
            person_id=person_id,
            must_change=must_change,
            created_at=at,
            expires_at=at + LASTS,
        )
    )
    return token


def find(token: str, at: datetime) -> AwaitedFactor | None:
    """Whose factor is awaited from the browser with this token; None if no longer, or of nobody."""
    pending = db.session.scalar(
        select(PendingPasswordSignIn).where(
            PendingPasswordSignIn.token_hash == hash_token(token), PendingPasswordSignIn.expires_at > at
        )
    )
    return AwaitedFactor(pending.person_id, pending.must_change) if pending is not None else None


def finish(token: str) -> bool:
    """End the sign-in, because the factor was shown; False if another request ended it before."""
    ended = db.session.scalars(
        delete(PendingPasswordSignIn)
        .where(PendingPasswordSignIn.token_hash == hash_token(token))
        .returning(PendingPasswordSignIn.person_id)
    ).all()
    return bool(ended)


def forget_sign_ins(person_id: int) -> None:
    """Forget the person's sign-ins that are under way: their sessions end, and these with them."""
    db.session.execute(delete(PendingPasswordSignIn).where(PendingPasswordSignIn.person_id == person_id))
