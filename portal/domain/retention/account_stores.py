"""The store of accounts of leavers: everything by which somebody who has no post any more could sign in."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update

from portal.domain.accounts.factors.models import Factor, PendingPasswordSignIn, RecoveryCode
from portal.domain.accounts.models import (
    Credential,
    HeldForm,
    Invitation,
    KnownBrowser,
    LastSignIn,
    PasswordLink,
    ProviderIdentity,
    RefusedIdentity,
    ResetRequest,
    SignInSession,
)
from portal.domain.clarity.models import ClarityAnswer
from portal.domain.people.as_of import is_known_fact
from portal.domain.people.models import Post, RoleGrant
from portal.domain.recall.models import RecallOptOut, RecallReview
from portal.domain.reports.models import ReportLook
from portal.domain.retention.holds import is_class_held
from portal.domain.retention.stores import DueRows, Limit, Store, has_row
from portal.platform.db import db

# Removed by the column that names the person; a closed account's row stays, without its password.
OWN_TABLES: tuple[Any, ...] = (
    SignInSession,
    HeldForm,
    KnownBrowser,
    LastSignIn,
    PasswordLink,
    ProviderIdentity,
    RefusedIdentity,
    ResetRequest,
    Factor,
    RecoveryCode,
    PendingPasswordSignIn,
    ReportLook,
    RecallReview,
    RecallOptOut,
)
# What another class holds too: a hold on that class keeps it.
SHARED_TABLES: dict[Any, str] = {Invitation: "mail", ClarityAnswer: "clarity"}


def _days_left() -> Any:
    """Each person who ever had a post, with the last day of their last one; corrected posts do not count."""
    statement = select(Post.person_id, func.max(Post.valid_to).label("left_on"))
    return statement.where(is_known_fact(Post)).group_by(Post.person_id).subquery("leaver")


def _due_accounts(limit: Limit) -> DueRows:
    """Accounts of people whose posts, grants and sign-ins all ended on the day or before.

    Somebody who came back has a post that ends later, and is no leaver.
    """
    leaver = _days_left()
    person_id, left_on = leaver.c.person_id, leaver.c.left_on
    used_later = has_row(LastSignIn.person_id, person_id, LastSignIn.signed_in_at >= limit.before_at)
    may_use_later = has_row(RoleGrant.person_id, person_id, _reaches_beyond(limit.through_on, limit))
    source = select().select_from(leaver).where(left_on <= limit.through_on, ~used_later, ~may_use_later)
    return DueRows(person_id, left_on, source.where(_has_account(person_id)), (person_id,))


def _reaches_beyond(day: date, limit: Limit) -> ColumnElement[bool]:
    """The condition that a role grant could be used after the day."""
    is_open = or_(RoleGrant.ended_at.is_(None), RoleGrant.ended_at >= limit.before_at)
    return and_(RoleGrant.valid_to > day, is_open)


def _list_tables() -> list[Any]:
    """The tables of which rows go now."""
    return [*OWN_TABLES, *(table for table, key in SHARED_TABLES.items() if not is_class_held(key))]


def _has_account(person_id: Any) -> ColumnElement[bool]:
    """The condition that anything of a person's account is left."""
    password = has_row(
        Credential.person_id,
        person_id,
        or_(Credential.closed_at.is_(None), Credential.password_hash.is_not(None)),
    )
    return or_(password, *(has_row(table.person_id, person_id) for table in _list_tables()))


def _remove_accounts(person_ids: Sequence[Any]) -> None:
    for table in _list_tables():
        db.session.execute(delete(table).where(table.person_id.in_(person_ids)))
    is_theirs = Credential.person_id.in_(person_ids)
    db.session.execute(delete(Credential).where(is_theirs, Credential.closed_at.is_(None)))
    db.session.execute(
        update(Credential).where(is_theirs).values(password_hash=None, password_rule=None, set_at=None)
    )


LEAVERS = (Store("accounts of leavers", _due_accounts, _remove_accounts),)
