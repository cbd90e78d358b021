"""Erases forms that were kept in clear, and has them sealed from now on.

The table is made anew. On SQLite rows that went long ago may still lie in free pages of the file, and a backup
copies those too: VACUUM writes the file without them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
needs_stop = True

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    remake(sa.Column("sealed", sa.LargeBinary(), nullable=False))
    bind = op.get_bind()
    if bind.dialect.name == "sqlite" and bind.scalar(sa.text("SELECT count(*) FROM credential")):
        rewrite_file(bind)


def downgrade() -> None:
    """Undo."""
    remake(sa.Column("path", WORDS, nullable=False), sa.Column("body", sa.LargeBinary(), nullable=False))


def remake(*content: sa.Column) -> None:
    """Drop the table with all that it holds, and make it with these columns for a form's content."""
    op.drop_table("held_form")
    op.create_table(
        "held_form",
        sa.Column("token_hash", WORDS, nullable=False),
        sa.Column("person_id", ID, nullable=False),
        *content,
        sa.Column("held_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_held_form_person_id")),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_held_form")),
    )
    for column in ("person_id", "expires_at"):
        op.create_index(op.f(f"ix_held_form_{column}"), "held_form", [column])


def rewrite_file(bind: sa.Connection) -> None:
    """Write the database file anew, outside a transaction; cut off in between, the migration runs again."""
    driver = bind.connection.dbapi_connection
    driver.execute("COMMIT")
    driver.execute("VACUUM")
    driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    driver.execute("BEGIN")
