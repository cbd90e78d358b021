"""Figures that no request has: sizes of database and disk, and how far the replica is behind."""

import shutil
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from config import current_settings
from portal.platform.db import Stamp, db
from portal.platform.engines import REPLICA
from portal.platform.replica import newest_replayed_stamp


@dataclass(frozen=True, slots=True)
class DiskSpace:
    """The disk of the instance folder, in bytes."""

    total: int
    free: int


def read_disk_space() -> DiskSpace:
    """The space of the disk that holds the instance folder, and with SQLite the database."""
    usage = shutil.disk_usage(current_settings().instance)
    return DiskSpace(usage.total, usage.free)


def read_database_bytes() -> int:
    """The size of the database, with its indexes."""
    is_embedded = db.engine.dialect.name == "sqlite"
    size = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if is_embedded
        else "SELECT pg_database_size(current_database())"
    )
    return int(db.session.execute(text(size)).scalar_one())


def read_replica_lag(at: datetime) -> float | None:
    """For how many seconds the replica has lacked its oldest lack; 0 where it lacks none. It exists.

    None where it does not answer.
    """
    try:
        replayed = newest_replayed_stamp(db.engines[REPLICA])
    except DBAPIError:
        return None
    missing = select(func.min(Stamp.recorded_at))
    if replayed is not None:
        missing = missing.where(Stamp.recorded_at > replayed)
    oldest = db.session.scalar(missing)
    return 0.0 if oldest is None else max(0.0, (at - oldest).total_seconds())


def has_replica() -> bool:
    """Whether reports are read from a replica."""
    return REPLICA in db.engines
