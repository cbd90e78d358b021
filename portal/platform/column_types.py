"""Names of constraints, and types of columns and indexes that the databases take differently."""

from datetime import UTC, datetime

from sqlalchemy import DateTime, Index, TypeDecorator, text
from sqlalchemy.engine.interfaces import Dialect

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
