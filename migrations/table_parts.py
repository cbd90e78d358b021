"""Pieces of tables that migrations make: kinds of column, and constraints with their names."""

import sqlalchemy as sa
from alembic import op

INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def require(name: str, kind: sa.types.TypeEngine[object]) -> sa.Column[object]:
    """A column that is never null."""
    return sa.Column(name, kind, nullable=False)


def refer_to(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    """A foreign key of a table, named as the models name it.

    Args:
        table: That has the key.
        column: The key.
        target: Table and column that it names, such as ``person.id``.
    """
    return sa.ForeignKeyConstraint([column], [target], name=op.f(f"fk_{table}_{column}"))


def make_key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    """The primary key of a table, named as the models name it."""
    return sa.PrimaryKeyConstraint(*columns, name=op.f(f"pk_{table}"))
