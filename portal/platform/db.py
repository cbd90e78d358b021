"""The database: base classes, engine settings, the stamp, and the unit of work.

One code path serves SQLite and PostgreSQL. A transaction that records facts takes one *stamp* under a
lock held to its commit, so stamps rise in the order of commits and a report "as known on" an instant
can never change afterwards.
"""

import sqlite3
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from time import monotonic
from typing import Any, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Text,
    TypeDecorator,
    Uuid,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.engine.interfaces import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import DeclarativeBase, Mapped, aliased, declared_attr, mapped_column, registry

from portal.platform import clock
from portal.platform.clock import from_microseconds
from portal.platform.engines import PLANNED_ONCE, SESSION_OPTIONS
from portal.platform.errors import BusyError, UnwritableError
from portal.platform.observability.logs import get_logger

# Names of constraints, and types of columns and indexes that the databases take differently.

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


def unique_index(name: str, *columns: str, where: str) -> Index:
    """An index under which no two of the rows that meet a condition have the same columns."""
    condition = text(where)
    return Index(name, *columns, unique=True, sqlite_where=condition, postgresql_where=condition)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, kept in UTC; SQLite would drop the zone, so it is converted before and set after."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """UTC; a naive instant is a bug and is refused."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A naive instant reached the database.")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


_log = get_logger("portal.database")
READER_SECONDS = 0.6  # how long a reader's request waits to record that something was read
LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL's code of a wait in vain
# A disk that is full or fails, and a database that takes no change: PostgreSQL's codes, then SQLite's.
UNWRITABLE = {"25006", "53100", "58030"}
UNWRITABLE_SQLITE = {
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
}  # fmt: skip
SAID_EVERY = 60  # seconds between two lines of the log about what could not be noted
STAMP_LEAD = timedelta(seconds=1)  # from the newest stamp to one that is given before it is taken
OPEN_END = date(9999, 12, 31)  # the last day of what has no end; never null, so that comparing works

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows of INTEGER keys alone
ByteString = String().with_variant(Text(collation="C"), "postgresql")  # sorted by code point on both


class Base(DeclarativeBase):
    """Base of every table; names every constraint so that a migration can drop it."""

    registry = registry(
        metadata=MetaData(naming_convention=NAMES),
        type_annotation_map={datetime: UtcDateTime(), uuid.UUID: Uuid(), str: ByteString},
    )


db = SQLAlchemy(model_class=Base, session_options=SESSION_OPTIONS)


class Stamp(Base):
    """One row a transaction that recorded facts: its instant, which orders it after all before it."""

    __tablename__ = "stamp"
    recorded_at: Mapped[datetime] = mapped_column(primary_key=True)
    clock_at: Mapped[datetime | None]  # earlier where the clock was set back; null in rows of older releases


class StampAhead(Base):
    """The stamp of a transaction to come, whose derived rows are being written already; at most one row.

    Until that transaction commits, every other takes an earlier stamp, and no report is known on this one or
    later: so nobody sees those rows before, and everybody all of them after.
    """

    __tablename__ = "stamp_ahead"
    microseconds: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)  # since 1970
    claim: Mapped[uuid.UUID]  # of the process that writes them, or undoes them
    heartbeat_at: Mapped[datetime]  # when its rows were last written; where that is long ago they are undone


_INSERT_STAMP = insert(Stamp)
_STAMPS = select(func.max(Stamp.recorded_at), select(func.max(StampAhead.microseconds)).scalar_subquery())


@dataclass
class Touched:
    """Ids whose facts this transaction wrote; what the subscribers bring up to date before the commit."""

    people: set[int] = field(default_factory=set)
    learners: set[int] = field(default_factory=set)  # only their registrations and records changed
    units: set[int] = field(default_factory=set)  # moved under another parent
    directives: set[int] = field(default_factory=set)  # got a version
    projected: set[int] = field(default_factory=set)  # people whose derived rows are written already
    reassigned: set[int] = field(default_factory=set)  # other people whom those versions concern

    def __bool__(self) -> bool:
        return bool(self.people or self.learners or self.units or self.directives)


Listener = Callable[[Any], None]
_subscribers: list[Listener] = []
_announcers: list[Listener] = []


def subscribe(*subscribers: Listener, announcer: Listener) -> None:
    """Register what is called before each commit: with the touched ids, in order, and with acts to announce.

    Called once, by the application.
    """
    _subscribers[:] = subscribers
    _announcers[:] = [announcer]


def read(statement: Any, values: Mapping[str, Any]) -> Sequence[Any]:
    """Every row of a statement of columns that was built once, at the import of its file.

    For the reads of every page: it goes past the session, which costs as much as the answer of the
    database. So it sees what has been flushed, and gives rows, never objects. PostgreSQL plans it once for
    each connection: it is for rows that are found by keys, not for reports, whose plan depends on their day.
    """
    return db.session.connection().execute(statement, values, execution_options=PLANNED_ONCE).all()


def write_row(statement: Any, values: Mapping[str, Any]) -> int:
    """Write a row by an insert that was built once, past the session as ``read``; its number."""
    connection = db.session.connection()
    key = connection.execute(statement, values, execution_options=PLANNED_ONCE).inserted_primary_key or (0,)
    number: int = key[0]
    return number


def write_rows(statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write rows by an insert that was built once, past the session as ``read``; none if there are none."""
    if rows:
        db.session.connection().execute(statement, rows)


def lock_rows(statement: Any, values: Mapping[str, Any]) -> None:
    """Let other transactions wait to write the rows of this SELECT FOR UPDATE until this one ends.

    On SQLite nothing is sent: there a transaction that writes waits for every other since its start.
    """
    if db.engine.dialect.name == "postgresql":
        read(statement, values)


def touch(
    *,
    people: Iterable[int] = (),
    learners: Iterable[int] = (),
    units: Iterable[int] = (),
    directives: Iterable[int] = (),
    projected: Iterable[int] = (),
) -> None:
    """Note whose facts this transaction writes, and for which people it has written all that follows."""
    touched = db.session.info.setdefault("touched", Touched())
    touched.people.update(people)
    touched.learners.update(learners)
    touched.units.update(units)
    touched.directives.update(directives)
    touched.projected.update(projected)


def announce_act(act: Any) -> None:
    """Note an audit event of this transaction about which people are to get an email."""
    db.session.info.setdefault("acts", []).append(act)


def newest_stamp() -> datetime | None:
    """The stamp of the newest transaction that recorded facts; None in an empty database."""
    return db.session.scalar(select(func.max(Stamp.recorded_at)))


def read_stamps() -> tuple[datetime | None, datetime | None]:
    """The newest stamp, and the stamp whose rows are being written ahead of it, if any; one statement."""
    newest, ahead = read(_STAMPS, {})[0]
    return newest, None if ahead is None else from_microseconds(ahead)


def is_newest_version(owner_id: Any) -> ColumnElement[bool]:
    """Whether a row has the highest number of those with its value in the column ``owner_id``."""
    version = owner_id.class_
    other = aliased(version)
    newest = select(func.max(other.number)).where(getattr(other, owner_id.key) == owner_id)
    newest_number: ColumnElement[bool] = version.number == newest.scalar_subquery()
    return newest_number


def take_writers_lock() -> None:
    """Wait for the lock under which facts are recorded; held to the end of the transaction."""
    if db.engine.dialect.name == "postgresql":  # on SQLite the transaction has it since its start
        db.session.execute(text("SELECT pg_advisory_xact_lock(7241001)"))


def stamp() -> datetime:
    """The one ``recorded_at`` of this transaction: taken at first call, under a lock held to its commit.

    Call it before the facts that it will be based on are read. Later than every committed stamp, even
    where the machine's clock stepped back: it orders what was recorded and never says on which day
    something happened. That is the clock's to say, read before the stamp is taken.
    """
    info = db.session.info
    if info.get("takes_no_stamp"):
        raise RuntimeError("A transaction that releases the lock early takes no stamp.")
    if "stamp" not in info:
        take_writers_lock()
        newest, ahead = read_stamps()
        now = at = info.get("stamp_as") or clock.now()
        if newest is not None and at <= newest:
            clock.warn_of_stamps(newest, now)
            at = newest + timedelta(microseconds=1)
        elif (
            newest is not None
            and ahead is not None
            and info.get("stamp_as") is None
            and at > ahead - STAMP_LEAD / 2
        ):
            at = newest + timedelta(microseconds=1)  # half a million of them, before the one that is given
        write_rows(_INSERT_STAMP, [{"recorded_at": at, "clock_at": now}])
        info["stamp"] = at
    taken: datetime = info["stamp"]
    return taken


def clock_at(recorded_at: Any) -> ColumnElement[datetime]:
    """What the machine's clock said when a fact with this ``recorded_at`` was recorded."""
    clock_time = select(Stamp.clock_at).where(Stamp.recorded_at == recorded_at).scalar_subquery()
    return func.coalesce(clock_time, recorded_at)


@contextmanager
def transaction(
    *,
    stamp_as: datetime | None = None,
    wait_seconds: float | None = None,
    dry_run: bool = False,
    early_release: bool = False,
) -> Iterator[None]:
    """Commit what the block wrote, or roll all of it back and re-raise. Edge only.

    Ends the reading transaction before it. Before its commit, subscribers hear whose facts were written.

    Args:
        stamp_as: The stamp to take, later than all: its rows were written ahead, or it is of a demo's past.
        wait_seconds: How long to wait for another transaction; as long as this request may, if not given.
        dry_run: Roll back what the block wrote at its end too.
        early_release: On SQLite, let others write before this is on the disk; end when it is. For what people
            save about themselves, without a stamp: no report may show what a power cut could take back.

    Raises:
        BusyError: Another transaction held what this one waits for, for too long.
        UnwritableError: The disk is full, or the database takes no change.
    """
    session = db.session()
    session.commit()  # SQLite cannot turn a stale read into a write
    info = session.info
    reads_from = info.pop("reads_from", None)
    _forget_transaction(info)
    info.update(stamp_as=stamp_as, takes_no_stamp=early_release)
    try:
        _begin_writing(session, wait_seconds, early_release=early_release)
        yield
        if not dry_run:
            settle()
            session.commit()
    except (DBAPIError, sqlite3.OperationalError) as error:
        raise _error_for_user(error) or error from error
    finally:
        session.rollback()  # what was not committed; after a commit there is nothing
        info["reads_from"] = reads_from
        _forget_transaction(info)


def _begin_writing(session: Any, wait_seconds: float | None, *, early_release: bool) -> None:
    """Begin a transaction that writes, under the lock on SQLite; limit how long it waits for others."""
    wait = session.info.get("wait_seconds") if wait_seconds is None else wait_seconds
    options = {"portal_writes": True, "portal_wait": wait, "portal_early_release": early_release}
    connection = session.connection(execution_options=options)
    if wait is not None and connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = '{max(1, round(1000 * wait))}ms'")


def _error_for_user(error: DBAPIError | sqlite3.OperationalError) -> BusyError | UnwritableError | None:
    """The error that says why the database could not be written to; None for any other fault."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.OperationalError):
        code = cause.sqlite_errorcode & 0xFF  # the kind, without its details
        busy, unwritable = code == sqlite3.SQLITE_BUSY, code in UNWRITABLE_SQLITE
    else:
        state = getattr(cause, "sqlstate", "")
        busy, unwritable = state == LOCK_NOT_AVAILABLE, state in UNWRITABLE
    return BusyError() if busy else UnwritableError() if unwritable else None


def wait_briefly() -> None:
    """Let no transaction of this request wait for another longer than a reader would."""
    db.session.info["wait_seconds"] = READER_SECONDS


Written = TypeVar("Written")
_last_said = [float("-inf")]


def try_to_write(act: Callable[[], Written], what: str, *, early_release: bool = False) -> Written | None:
    """Commit what ``act`` writes, or leave it undone where that cannot be done at once. Edge only.

    For what a page notes in passing: nobody waits for it, and nobody is refused a page over it.

    Args:
        act: What to do in a transaction of its own.
        what: What is left undone, for the log.
        early_release: As of ``transaction``.

    Returns:
        What ``act`` gave; None where it was left undone.
    """
    try:
        with transaction(wait_seconds=0, early_release=early_release):
            return act()
    except (BusyError, UnwritableError) as error:
        if monotonic() - _last_said[0] > SAID_EVERY:
            _last_said[0] = monotonic()
            _log.warning("not_noted", what=what, reason=type(error).__name__)
        return None


def settle() -> None:
    """Let the subscribers bring up to date what the facts written so far in this transaction touch.

    Then the acts so far are announced, in one go.
    """
    db.session.flush()
    for key, listeners in (("touched", _subscribers), ("acts", _announcers)):
        if noted := db.session.info.pop(key, None):
            for listener in listeners:
                listener(noted)
            db.session.flush()


def _forget_transaction(info: dict[Any, Any]) -> None:
    for key in ("touched", "acts", "stamp", "stamp_as", "takes_no_stamp"):
        info.pop(key, None)


class Fact(Base):
    """An append-only row: when it was recorded, and which row it replaces.

    A correction is a new row that names the one it replaces; with ``void`` the fact is withdrawn.
    Triggers refuse update, delete and truncate.
    """

    __abstract__ = True

    id: Mapped[int] = mapped_column(BigId, primary_key=True, sort_order=-4)
    recorded_at: Mapped[datetime] = mapped_column(sort_order=-3)  # the transaction's stamp
    void: Mapped[bool] = mapped_column(default=False, sort_order=-1)

    @declared_attr
    @classmethod
    def replaces_id(cls) -> Mapped[int | None]:
        """The row this one corrects; unique, so corrections form a chain."""
        return mapped_column(ForeignKey(f"{cls.__tablename__}.id"), unique=True, sort_order=-2)
