"""Reports from a streaming replica of PostgreSQL, where ``REPLICA_URL`` names one.

A report is pinned to an instant, and what was known on an instant never changes afterwards. So any copy
of the database that has replayed the stamps up to it gives the same report.
"""

from datetime import datetime, timedelta
from time import monotonic, sleep

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import DBAPIError

from portal.platform import clock
from portal.platform.db import Stamp, db
from portal.platform.engines import REPLICA
from portal.platform.observability.logs import get_logger

_log = get_logger("portal.replica")
MOST_BEHIND = timedelta(seconds=5)  # names keep no history: one that was changed is read for so long at most
WAITS = (0.005, 0.01, 0.02, 0.04)  # seconds between two looks at a replica that is a moment behind
PAUSE = 30.0  # seconds for which a replica that failed is left alone
_left_alone_until = [float("-inf")]


def read_as_known_on(instant: datetime) -> None:
    """Let this session read from the replica from here on, if the replica holds all stamps up to ``instant``.

    Otherwise, and without a replica, it goes on reading from the database itself. Call it once that
    which has no stamps and must be of this moment was read: who may see whom.
    """
    engine = db.engines.get(REPLICA)
    session = db.session()
    if engine is None or session.info.get("reads_from") or monotonic() < _left_alone_until[0]:
        return
    until = max(instant, clock.now() - MOST_BEHIND)
    needed = session.scalar(select(func.max(Stamp.recorded_at)).where(Stamp.recorded_at <= until))
    try:
        has_replayed = needed is not None and _has_replayed(engine, needed)
    except DBAPIError as error:
        _left_alone_until[0] = monotonic() + PAUSE
        _log.warning("replica.left_alone", reason=type(error.orig).__name__, seconds=PAUSE)
        return
    if has_replayed:
        session.info["reads_from"] = engine


def newest_replayed_stamp(engine: Engine) -> datetime | None:
    """The newest stamp that the replica has; None in an empty database."""
    with engine.connect() as connection:
        newest: datetime | None = connection.scalar(select(func.max(Stamp.recorded_at)))
    return newest


def _has_replayed(engine: Engine, needed: datetime) -> bool:
    """Whether the replica has the stamp ``needed`` or a later one, after waiting briefly for it."""
    for seconds in (*WAITS, 0.0):
        newest = newest_replayed_stamp(engine)
        if newest is not None and newest >= needed:
            return True
        sleep(seconds)
    return False
