"""Changes to accounts: signing in and out, passwords and their links, closing, forms kept over a lapse."""

import math
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from portal.accounts import passwords, queries, throttle, tidying
from portal.accounts.errors import LinkSpentError
from portal.accounts.models import Credential, HeldForm, PasswordLink, SignInFailure, SignInSession
from portal.accounts.tokens import new_token, token_hash
from portal.audit.services import log
from portal.db import db
from portal.errors import NotFoundError, RuleError, TooManyError

LINK_LASTS = timedelta(hours=24)
FORM_KEPT = timedelta(minutes=60)
MOST_KEPT = 20  # forms of one person; beyond it the oldest goes, so that nobody fills the disk with them


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a sign-in comes from."""

    address: str
    browser: str


def admit(name: str, address: str, at: datetime) -> None:
    """Let one try at a sign-in begin; it counts as a failure until ``open_session`` forgets it.

    Counted before the password is looked at, so that tries sent at once cannot all slip through.

    Args:
        name: The keyed hash of what was typed, whether or not an account has that name.
        address: Of the browser.
        at: The instant of the try.

    Raises:
        TooManyError: The account at this address, or the address, must wait.
    """
    address = throttle.place(address)
    _one_at_a_time(name, address)
    tidying.tidy_failures(at)
    of_address = select(SignInFailure.failed_at).where(SignInFailure.address == address)
    failures = db.session.scalars(
        of_address.where(SignInFailure.account_hash == name, SignInFailure.failed_at > at - throttle.MEMORY)
        .order_by(SignInFailure.failed_at)
        .limit(100)
    ).all()
    hundredth_last = db.session.scalar(
        of_address.where(SignInFailure.failed_at > at - throttle.ADDRESS_WINDOW)
        .order_by(SignInFailure.failed_at.desc())
        .offset(throttle.ADDRESS_MOST - 1)
        .limit(1)
    )
    wait = max(throttle.account_wait(failures, at), throttle.address_wait(hundredth_last, at))
    if wait > timedelta():
        raise TooManyError("Too many sign-ins have failed.", math.ceil(wait.total_seconds()))
    db.session.add(SignInFailure(account_hash=name, address=address, failed_at=at))


def _one_at_a_time(name: str, address: str) -> None:
    # SQLite's unit of work is alone already; PostgreSQL's would count past each other.
    if db.engine.dialect.name == "postgresql":
        for text in sorted((name, address)):
            key = func.hashtextextended(text, 7241002)
            db.session.execute(select(func.pg_advisory_xact_lock(key)))


def open_session(person_id: int, name: str, origin: Origin, at: datetime) -> tuple[str, str]:
    """Sign the person in: a new session, and the failures of this account at this address forgotten.

    Returns:
        The token for the browser and the secret of its forms.
    """
    forget_failures(name, origin.address)
    log("account.signed_in", actor_id=person_id, subject_id=person_id)
    return _new_session(person_id, origin, at)


def forget_failures(name: str, address: str) -> None:
    """Let the failures of an account at an address count no more: the owner was there."""
    db.session.execute(
        delete(SignInFailure).where(
            SignInFailure.account_hash == name, SignInFailure.address == throttle.place(address)
        )
    )


def _new_session(person_id: int, origin: Origin, at: datetime) -> tuple[str, str]:
    token, secret = new_token(), new_token()
    db.session.add(
        SignInSession(
            token_hash=token_hash(token),
            reference=secrets.token_hex(8),
            person_id=person_id,
            csrf_secret=secret,
            created_at=at,
            seen_at=at,
            ended_at=None,
            end_reason=None,
            browser=origin.browser,
            address=origin.address,
        )
    )
    return token, secret


def renew_hash(person_id: int, plain: str) -> None:
    """Hash a password that was just verified anew, where today's costs are others."""
    kept = db.session.get(Credential, person_id)
    if kept is not None and kept.password_hash and passwords.outdated(kept.password_hash):
        kept.password_hash = passwords.hashed(plain)


def note_seen(hashed_token: str, at: datetime) -> None:
    """Note that a session was used."""
    db.session.execute(
        update(SignInSession).where(SignInSession.token_hash == hashed_token).values(seen_at=at)
    )


def leave_session(hashed_token: str, reason: str, at: datetime) -> None:
    """End the session of one browser: signed out, or replaced after it lapsed."""
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.token_hash == hashed_token, SignInSession.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
    )


def end_session(person_id: int, reference: str, at: datetime) -> None:
    """End one session of the person, from another browser.

    Raises:
        NotFoundError: The person has no such session.
    """
    ended = db.session.scalars(
        update(SignInSession)
        .where(SignInSession.reference == reference.replace("\x00", ""), SignInSession.person_id == person_id)
        .values(
            ended_at=func.coalesce(SignInSession.ended_at, at),
            end_reason=func.coalesce(SignInSession.end_reason, "ended_elsewhere"),
        )
        .returning(SignInSession.reference)
    ).all()
    if not ended:
        raise NotFoundError("There is no such session.")
    _drop_forms(person_id)
    log("account.session_ended", actor_id=person_id, subject_id=person_id)


def end_sessions(person_id: int, reason: str, by: int | None, at: datetime) -> None:
    """End every session of the person, lapsed ones too, and drop the forms kept over a lapse."""
    close_sessions(person_id, reason, at)
    _drop_forms(person_id)
    log("account.session_ended", actor_id=by, subject_id=person_id, reason=reason)


def close_sessions(person_id: int, reason: str, at: datetime) -> None:
    """End every session of the person, lapsed ones too; a form sent from one is not carried out."""
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.person_id == person_id, SignInSession.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
    )
    # A lapsed session that was replaced no longer vouches for a form that an old page still sends.
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.person_id == person_id, SignInSession.end_reason == "lapsed")
        .values(end_reason=reason)
    )


def _drop_forms(person_id: int) -> None:
    db.session.execute(delete(HeldForm).where(HeldForm.person_id == person_id))


def check_password(person_id: int, plain: str, about: tuple[str, ...] = ()) -> None:
    """Let a new password of the person pass.

    Raises:
        PasswordRefusedError: It is too short, too long or too easy to guess.
    """
    passwords.check(plain, (*queries.words_about(person_id), *about))


def set_password(
    person_id: int, plain: str, at: datetime, *, by: int | None = None, about: tuple[str, ...] = ()
) -> None:
    """Give the person this password; ends every session and spends every link.

    Args:
        person_id: Whose password.
        plain: As typed.
        at: The instant of the change.
        by: Who does it; None for a command.
        about: What else anyone would try first, such as the force's name.

    Raises:
        PasswordRefusedError: It is too short, too long or too easy to guess.
        RuleError: The account is closed.
    """
    check_password(person_id, plain, about)
    kept = _credential(person_id)
    if kept.closed_at is not None:
        raise RuleError("This account is closed.")
    kept.password_hash, kept.set_at = passwords.hashed(plain), at
    _spend_links(person_id, at)
    log("account.password_set", actor_id=by, subject_id=person_id)
    end_sessions(person_id, "password_changed", by, at)


def change_password(
    person_id: int, plain: str, origin: Origin, at: datetime, about: tuple[str, ...] = ()
) -> tuple[str, str]:
    """Set the person's own new password and sign the browser they did it in in again.

    Returns:
        The new token for the browser and the secret of its forms.

    Raises:
        PasswordRefusedError: It is too short, too long or too easy to guess.
    """
    set_password(person_id, plain, at, by=person_id, about=about)
    return _new_session(person_id, origin, at)


def _credential(person_id: int) -> Credential:
    kept = db.session.get(Credential, person_id)
    if kept is None:
        kept = Credential(person_id=person_id, password_hash=None, set_at=None, closed_at=None)
        db.session.add(kept)
        db.session.flush()
    return kept


def _spend_links(person_id: int, at: datetime) -> None:
    db.session.execute(
        update(PasswordLink)
        .where(PasswordLink.person_id == person_id, PasswordLink.used_at.is_(None))
        .values(used_at=at)
    )


def invite(person_id: int, *, by: int | None, at: datetime) -> str:
    """Make the person's single-use link to set a password; an earlier one stops working.

    Returns:
        The link's token, which is kept nowhere.

    Raises:
        RuleError: The account is closed.
    """
    if _credential(person_id).closed_at is not None:
        raise RuleError("This account is closed. Open it again first.")
    _spend_links(person_id, at)
    token = new_token()
    db.session.add(
        PasswordLink(
            token_hash=token_hash(token),
            person_id=person_id,
            created_at=at,
            created_by_id=by,
            expires_at=at + LINK_LASTS,
            used_at=None,
        )
    )
    log("account.invited", actor_id=by, subject_id=person_id)
    return token


def use_link(token: str, plain: str, at: datetime, about: tuple[str, ...] = ()) -> None:
    """Set the password that a link was made for; the link works once, even for two browsers at once.

    Raises:
        LinkSpentError: It was used, has run out, or never was.
        PasswordRefusedError: The password is refused; the link still works.
        RuleError: The account is closed.
    """
    person_id = db.session.scalar(
        update(PasswordLink)
        .where(
            PasswordLink.token_hash == token_hash(token),
            PasswordLink.used_at.is_(None),
            PasswordLink.expires_at > at,
        )
        .values(used_at=at)
        .returning(PasswordLink.person_id)
    )
    if person_id is None:
        raise LinkSpentError
    set_password(person_id, plain, at, by=person_id, about=about)


def close_account(person_id: int, *, by: int | None, at: datetime) -> None:
    """Close the account: every session ends, no link works, and nobody signs in until it is opened again.

    Raises:
        RuleError: It is the account of the one who closes.
    """
    if person_id == by:
        raise RuleError("You cannot close your own account.")
    kept = _credential(person_id)
    if kept.closed_at is None:
        kept.closed_at = at
        log("account.closed", actor_id=by, subject_id=person_id)
    _spend_links(person_id, at)
    end_sessions(person_id, "closed", by, at)


def open_account(person_id: int, *, by: int | None) -> None:
    """Open a closed account again; the password is the one it had."""
    kept = _credential(person_id)
    if kept.closed_at is not None:
        kept.closed_at = None
        log("account.opened", actor_id=by, subject_id=person_id)


def hold_form(person_id: int, path: str, body: bytes, at: datetime) -> str:
    """Keep a form that came after its session lapsed.

    Returns:
        The token that the same browser must show to have it back.
    """
    tidying.tidy_forms(at)
    surplus = db.session.scalars(
        select(HeldForm.token_hash)
        .where(HeldForm.person_id == person_id)
        .order_by(HeldForm.held_at.desc())
        .offset(MOST_KEPT - 1)
    ).all()
    db.session.execute(delete(HeldForm).where(HeldForm.token_hash.in_(surplus)))
    token = new_token()
    db.session.add(
        HeldForm(
            token_hash=token_hash(token),
            person_id=person_id,
            path=path,
            body=body,
            held_at=at,
            expires_at=at + FORM_KEPT,
        )
    )
    return token


def drop_form(hashed_token: str, person_id: int) -> None:
    """Forget a kept form that was carried out, or that its owner threw away."""
    db.session.execute(
        delete(HeldForm).where(HeldForm.token_hash == hashed_token, HeldForm.person_id == person_id)
    )
