"""Archiving of modules: an archived one is offered no longer, and nothing that was earned in it changes.

It can still be read at its address, finished by whoever began it, and begun by people of whom a directive
requires it. A successor only tells readers where to go on: whether its pass counts is for directives to say.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue import queries
from portal.domain.catalogue.models import Activity, ModuleArchiving, ModuleVersion
from portal.domain.people.as_of import is_known_fact
from portal.platform.audit.services import log
from portal.platform.clock import london_day
from portal.platform.db import db, stamp
from portal.platform.errors import ConflictError, NotFoundError, RuleError


@dataclass(frozen=True, slots=True)
class Archive:
    """Since when a module is archived, and which replaces it."""

    fact_id: int
    archived_on: date
    successor_id: int | None
    successor_key: str | None
    successor_title: str | None  # of its newest version


def is_archived(activity_id: Any) -> ColumnElement[bool]:
    """WHERE clause: the module with this id is archived."""
    return exists().where(ModuleArchiving.activity_id == activity_id, is_known_fact(ModuleArchiving))


def archive_of(activity_id: int) -> Archive | None:
    """Return since when a module is archived; None if it is offered. One statement."""
    successor = aliased(Activity)
    newest = (
        select(ModuleVersion.title)
        .where(ModuleVersion.activity_id == successor.id)
        .order_by(ModuleVersion.number.desc())
        .limit(1)
        .correlate(successor)
        .scalar_subquery()
    )
    row = db.session.execute(
        select(
            ModuleArchiving.id,
            ModuleArchiving.archived_on,
            ModuleArchiving.successor_id,
            successor.key,
            newest,
        )
        .outerjoin(successor, successor.id == ModuleArchiving.successor_id)
        .where(ModuleArchiving.activity_id == activity_id, is_known_fact(ModuleArchiving))
    ).one_or_none()
    return None if row is None else Archive(*row)


def archived_activities(among: Collection[int] | None = None) -> frozenset[int]:
    """Return the ids of the archived modules, of some or of all. One statement."""
    statement = select(ModuleArchiving.activity_id).where(is_known_fact(ModuleArchiving))
    if among is not None:
        statement = statement.where(ModuleArchiving.activity_id.in_(among))
    return frozenset(db.session.scalars(statement))


def offered_modules() -> list[ModuleVersion]:
    """Return the newest version of each module that is not archived, as ``published_modules``."""
    archived = archived_activities()
    return [version for version in queries.published_modules() if version.activity_id not in archived]


def archive_module(key: str, successor: str | None, *, by: int, at: datetime) -> None:
    """Archive a module, or name another successor of one that is archived. Repeat-safe.

    Args:
        key: The module's.
        successor: The key of the module that replaces it; None for none.
        by: The publisher who decides.
        at: Now.

    Raises:
        NotFoundError: There is no such module.
        RuleError: The successor is the module itself, is not published, or is archived too.
    """
    recorded_at = stamp()
    activity_id = _published_id(key)
    successor_id = _successor_id(key, successor) if successor else None
    before = archive_of(activity_id)
    if before is not None and before.successor_id == successor_id:
        return
    db.session.add(
        ModuleArchiving(
            recorded_at=recorded_at,
            replaces_id=before.fact_id if before else None,
            activity_id=activity_id,
            successor_id=successor_id,
            archived_on=before.archived_on if before else london_day(at),
            decided_by_id=by,
        )
    )
    detail: dict[str, Any] = {"successor": successor} if successor else {}
    log("module.archived", actor_id=by, module=key, **detail)
    db.session.flush()


def restore_module(key: str, *, by: int) -> None:
    """Offer an archived module again.

    Raises:
        ConflictError: It is not archived.
    """
    recorded_at = stamp()
    activity_id = _published_id(key)
    archive = archive_of(activity_id)
    if archive is None:
        raise ConflictError("This module is not archived.")
    db.session.add(
        ModuleArchiving(
            recorded_at=recorded_at,
            replaces_id=archive.fact_id,
            void=True,
            activity_id=activity_id,
            successor_id=archive.successor_id,
            archived_on=archive.archived_on,
            decided_by_id=by,
        )
    )
    log("module.restored", actor_id=by, module=key)
    db.session.flush()


def _published_id(key: str) -> int:
    version = queries.current_version(key)
    if version is None:
        raise NotFoundError("This module is not published.")
    return version.activity_id


def _successor_id(key: str, successor: str) -> int:
    if successor == key:
        raise RuleError("A module cannot replace itself. Choose another, or none.")
    version = queries.current_version(successor)
    if version is None:
        raise RuleError("The module that replaces it is not published. Publish it first.")
    if version.activity_id in archived_activities([version.activity_id]):
        raise RuleError("The module that replaces it is archived too. Choose another, or none.")
    return version.activity_id
