"""Changes to accounts: sessions, passwords and their links, closing and reopening."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, func, insert, or_, select, update

from portal.domain.accounts import passwords, queries, sign_in
from portal.domain.accounts.errors import LinkSpentError
from portal.domain.accounts.models import Credential, Invitation, PasswordLink, SignInSession
from portal.domain.accounts.tokens import hash_token, new_token
from portal.platform.audit import log
from portal.platform.db import db, write_row
from portal.platform.errors import NotFoundError, RuleError

LINK_LIFETIME = timedelta(hours=24)
PASSWORD, OPENID, SAML, PASSKEY = "password", "oidc", "saml", "passkey"  # how somebody signed in
BY_PROVIDER = frozenset({OPENID, SAML})  # the force's provider said who it is

_INSERT_SESSION = insert(SignInSession)


class UsedLink(NamedTuple):
    """What a link to set a password did."""

    person_id: int  # whose password was set
    may_enrol: bool  # whether it leads on to a first second factor


@dataclass(frozen=True, slots=True)
class SignInOrigin:
    """Where a sign-in comes from."""

    address: str
    browser: str


def open_session(
    person_id: int,
    origin: SignInOrigin,
    at: datetime,
    *,
    must_change: bool = False,
    method: str = PASSWORD,
    provider_sid: str | None = None,
    factor: str | None = None,
) -> tuple[str, str]:
    """Sign the person in with a new session.

    Args:
        person_id: Who signs in.
        origin: From which address and browser.
        at: The instant of signing in.
        must_change: Whether the session allows nothing but choosing another password.
        method: How the person showed who they are.
        provider_sid: The identity provider's session, which can end this one.
        factor: The second factor that the person showed.

    Returns:
        The token for the browser and the secret of its forms.
    """
    log("account.signed_in", actor_id=person_id, subject_id=person_id, method=method, factor=factor)
    sign_in.record_sign_in(person_id, at, method, origin.browser, origin.address)
    return _new_session(
        person_id,
        origin,
        at,
        must_change=must_change,
        method=method,
        provider_sid=provider_sid,
        factor=factor,
    )


def _new_session(
    person_id: int,
    origin: SignInOrigin,
    at: datetime,
    *,
    must_change: bool = False,
    method: str = PASSWORD,
    provider_sid: str | None = None,
    factor: str | None = None,
    authenticated_at: datetime | None = None,
) -> tuple[str, str]:
    token, secret = new_token(), new_token()
    session = {
        "token_hash": hash_token(token),
        "reference": secrets.token_hex(8),
        "person_id": person_id,
        "csrf_secret": secret,
        "created_at": at,
        "seen_at": at,
        "browser": origin.browser,
        "address": origin.address,
        "must_change": must_change,
        "method": method,
        "provider_sid": provider_sid,
        "factor": factor,
        "authenticated_at": authenticated_at,
    }
    write_row(_INSERT_SESSION, session)
    return token, secret


def is_password_weak(person_id: int, plain: str, rule: int | None, force_name: str) -> bool:
    """Whether a password just verified is too weak; one that passed the current rule is not checked again."""
    if rule == passwords.RULE_NUMBER:
        return False
    return passwords.is_weak(plain, (*queries.list_words_about(person_id), force_name))


def accept_password(person_id: int, rule: int | None, new_hash: str | None) -> None:
    """Record that a verified password passes the current rule, and its new hash if it was hashed again.

    Args:
        person_id: Whose password.
        rule: The number of the rule that it passed before, if any.
        new_hash: As ``hashing.renewed_hash`` gave it, before the transaction: nobody waits for its making.
    """
    values: dict[str, object] = {}
    if rule != passwords.RULE_NUMBER:
        values["password_rule"] = passwords.RULE_NUMBER
    if new_hash is not None:
        values["password_hash"] = new_hash
    if values:
        db.session.execute(update(Credential).where(Credential.person_id == person_id).values(values))


def record_session_use(token_hash: str, at: datetime) -> None:
    """Record when a session was last used."""
    db.session.execute(update(SignInSession).where(SignInSession.token_hash == token_hash).values(seen_at=at))


def end_browser_session(token_hash: str, reason: str, at: datetime) -> str | None:
    """End the session of one browser, because of a sign-out or a new sign-in after it expired.

    Returns:
        How its person had signed in; None where it had ended before.
    """
    return db.session.scalar(
        update(SignInSession)
        .where(SignInSession.token_hash == token_hash, SignInSession.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
        .returning(SignInSession.method)
    )


def end_session(person_id: int, reference: str, at: datetime, *, by: int | None) -> None:
    """End one session of the person, from another browser or by an administrator."""
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
    sign_in.delete_forms_of_person(person_id)
    log("account.session_ended", actor_id=by, subject_id=person_id, sessions=1)


def end_sessions(
    person_id: int, reason: str, by: int | None, at: datetime, *, keep_forms: bool = False
) -> None:
    """End every session of the person, expired ones too, and forget the browsers that they used.

    Held forms are deleted, unless ``keep_forms`` is set: their owner is about to send them.
    """
    close_sessions(person_id, reason, at)
    sign_in.forget_browsers(person_id)
    if not keep_forms:
        sign_in.delete_forms_of_person(person_id)
    log("account.session_ended", actor_id=by, subject_id=person_id, reason=reason)


def close_sessions(person_id: int, reason: str, at: datetime) -> None:
    """End every session of the person, expired ones too; a form sent from one is not carried out.

    Sign-ins that wait for a second factor end too.
    """
    sign_in.forget_sign_ins(person_id)
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.person_id == person_id, SignInSession.ended_at.is_(None))
        .values(ended_at=at, end_reason=reason)
    )
    # A form that an old page still sends must not count as sent from an expired session.
    db.session.execute(
        update(SignInSession)
        .where(SignInSession.person_id == person_id, SignInSession.end_reason == "lapsed")
        .values(end_reason=reason)
    )


def check_password(person_id: int, plain: str, about: tuple[str, ...] = ()) -> None:
    """Check a new password of the person, against words about them too.

    Raises:
        PasswordRefusedError: It is too short, too long or too easy to guess.
    """
    passwords.check_new_password(plain, (*queries.list_words_about(person_id), *about))


def set_password(
    person_id: int,
    plain: str,
    at: datetime,
    *,
    by: int | None = None,
    about: tuple[str, ...] = (),
    keep_forms: bool = False,
) -> None:
    """Set the person's password; every session ends, and no link works any more.

    Args:
        person_id: Whose password.
        plain: As typed.
        at: The instant of the change.
        by: Who does it; None for a command.
        about: Other words that are easy to guess, such as the force's name.
        keep_forms: Whether held forms stay.

    Raises:
        PasswordRefusedError: It is too short, too long or too easy to guess.
    """
    check_password(person_id, plain, about)
    credential = _get_or_create_credential(person_id)
    if credential.closed_at is not None:
        raise RuleError("This account is closed.")
    credential.password_hash, credential.set_at = passwords.hash_password(plain), at
    credential.password_rule = passwords.RULE_NUMBER
    _spend_links(person_id, at)
    log("account.password_set", actor_id=by, subject_id=person_id)
    end_sessions(person_id, "password_changed", by, at, keep_forms=keep_forms)


def change_password(
    person_id: int,
    plain: str,
    origin: SignInOrigin,
    at: datetime,
    about: tuple[str, ...] = (),
    *,
    session_hash: str,
    keep_forms: bool = False,
) -> tuple[str, str]:
    """Set a new password for the person who asks, and sign this browser in again.

    Args:
        person_id: Who asks.
        plain: As typed.
        origin: From which address and browser.
        at: The instant of the change.
        about: More words that must not make up the password.
        session_hash: Of the session in which it is done. The new one keeps how and when the person had
            signed in, so that the identity provider can still end it.
        keep_forms: Whether forms held for the person stay.

    Returns:
        The new token for the browser and the secret of its forms.

    Raises:
        PasswordRefusedError: It is too short, too long or too easy to guess.
    """
    kept = db.session.execute(
        select(
            SignInSession.method,
            SignInSession.provider_sid,
            SignInSession.factor,
            func.coalesce(SignInSession.authenticated_at, SignInSession.created_at).label("authenticated_at"),
        ).where(SignInSession.token_hash == session_hash)
    ).one()
    set_password(person_id, plain, at, by=person_id, about=about, keep_forms=keep_forms)
    return _new_session(person_id, origin, at, **kept._mapping)


def _get_or_create_credential(person_id: int) -> Credential:
    credential = db.session.get(Credential, person_id)
    if credential is None:
        credential = Credential(
            person_id=person_id, password_hash=None, password_rule=None, set_at=None, closed_at=None
        )
        db.session.add(credential)
        db.session.flush()
    return credential


def _spend_links(person_id: int, at: datetime) -> None:
    db.session.execute(
        update(PasswordLink)
        .where(PasswordLink.person_id == person_id, PasswordLink.used_at.is_(None))
        .values(used_at=at)
    )


def create_password_link(person_id: int, *, by: int | None, at: datetime) -> str:
    """Create the person's single-use link to set a password; an earlier one stops working.

    Returns:
        The link's token, which is stored nowhere.
    """
    if _get_or_create_credential(person_id).closed_at is not None:
        raise RuleError("This account is closed. Open it again first.")
    _spend_links(person_id, at)
    token = new_token()
    db.session.add(
        PasswordLink(
            token_hash=hash_token(token),
            person_id=person_id,
            created_at=at,
            created_by_id=by,
            expires_at=at + LINK_LIFETIME,
            used_at=None,
            may_enrol=True,
        )
    )
    log("account.invited", actor_id=by, subject_id=person_id)
    return token


def set_password_from_link(token: str, plain: str, at: datetime, about: tuple[str, ...] = ()) -> UsedLink:
    """Set the password that a link was made for; the link works once, even for two browsers at once.

    Raises:
        LinkSpentError: It was used, has expired or never existed.
        PasswordRefusedError: The password is refused; the link still works.
        RuleError: The account is closed.
    """
    row = db.session.execute(
        update(PasswordLink)
        .where(
            PasswordLink.token_hash == hash_token(token),
            PasswordLink.used_at.is_(None),
            PasswordLink.expires_at > at,
        )
        .values(used_at=at)
        .returning(PasswordLink.person_id, PasswordLink.may_enrol)
    ).one_or_none()
    if row is None:
        raise LinkSpentError
    link = UsedLink(*row)
    set_password(link.person_id, plain, at, by=link.person_id, about=about)
    db.session.execute(
        update(Invitation)
        .where(Invitation.person_id == link.person_id, Invitation.used_at.is_(None))
        .where(or_(Invitation.expires_at.is_(None), Invitation.expires_at > at))
        .values(used_at=at)
    )
    return link


def close_account(person_id: int, *, by: int | None, at: datetime) -> None:
    """Close the account: every session ends, no link works, and nobody can sign in until it is reopened."""
    if person_id == by:
        raise RuleError("You cannot close your own account.")
    credential = _get_or_create_credential(person_id)
    if credential.closed_at is None:
        credential.closed_at = at
        log("account.closed", actor_id=by, subject_id=person_id)
    _spend_links(person_id, at)
    end_sessions(person_id, "closed", by, at)


def reopen_account(person_id: int, *, by: int | None) -> None:
    """Reopen a closed account; it keeps its password."""
    credential = _get_or_create_credential(person_id)
    if credential.closed_at is not None:
        credential.closed_at = None
        log("account.opened", actor_id=by, subject_id=person_id)


# Links to set a password that go out by mail or on paper.
#
# A link by mail is made when its mail is sent, so that the outbox never holds it. Earlier links go on
# working until the relay has accepted the mail: a mail that fails takes no working link from anybody.

INVITATION_LIFETIME = timedelta(days=7)


def add_link(person_id: int, lifetime: timedelta, at: datetime, *, may_enrol: bool) -> str:
    """Add a single-use link to set the person's password, beside the earlier ones.

    Args:
        person_id: Whose password.
        lifetime: How long it works.
        at: This instant.
        may_enrol: Whether it leads on to a first second factor, because an administrator invited the person.

    Returns:
        The link's token, which is stored nowhere.
    """
    token = new_token()
    columns = _link_columns(person_id, token, at, at + lifetime, None, may_enrol=may_enrol)
    db.session.execute(insert(PasswordLink), [columns])
    return token


def replace_earlier_links(token: str, at: datetime) -> datetime | None:
    """End the person's other links: the mail with this one was sent.

    Returns:
        When the link expires; None if it was used already, which ended the others too.
    """
    kept = select(PasswordLink.person_id, PasswordLink.expires_at).where(
        PasswordLink.token_hash == hash_token(token), PasswordLink.used_at.is_(None)
    )
    row = db.session.execute(kept).one_or_none()
    if row is None:
        return None
    _end_links([row.person_id], at, PasswordLink.token_hash != hash_token(token))
    expires_at: datetime = row.expires_at
    return expires_at


def discard_link(token: str) -> None:
    """Delete a link whose mail was not sent; an empty token is that of a mail without a link."""
    if token:
        db.session.execute(delete(PasswordLink).where(PasswordLink.token_hash == hash_token(token)))


def make_links_for_paper(people: Collection[int], *, by: int, at: datetime) -> dict[int, str]:
    """Make a link for each of these people, to be printed; earlier ones stop working.

    Args:
        people: At most a few hundred.
        by: Who prints them.
        at: This instant.

    Returns:
        The tokens by person; they are stored nowhere.
    """
    _end_links(people, at)
    tokens = {person_id: new_token() for person_id in people}
    rows = [
        _link_columns(person_id, token, at, at + INVITATION_LIFETIME, by, may_enrol=True)
        for person_id, token in tokens.items()
    ]
    if rows:
        db.session.execute(insert(PasswordLink), rows)
    return tokens


def _link_columns(
    person_id: int, token: str, at: datetime, expires_at: datetime, by: int | None, *, may_enrol: bool
) -> dict[str, object]:
    return {
        "token_hash": hash_token(token),
        "person_id": person_id,
        "created_at": at,
        "created_by_id": by,
        "expires_at": expires_at,
        "used_at": None,
        "may_enrol": may_enrol,
    }


def _end_links(people: Collection[int], at: datetime, *conditions: ColumnElement[bool]) -> None:
    statement = update(PasswordLink).where(
        PasswordLink.person_id.in_(people), PasswordLink.used_at.is_(None), *conditions
    )
    db.session.execute(statement.values(used_at=at))
