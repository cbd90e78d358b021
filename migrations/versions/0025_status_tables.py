"""Renames the tables of statuses to status_period, status_group, status_count and status_count_snapshot.

Indexes, constraints and sequences keep the names that they have: SQLite cannot rename a constraint without
writing its table anew, and a nation has millions of these rows.
"""

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None
needs_stop = True

RENAMED = {
    "standing_span": "status_period",
    "standing_group": "status_group",
    "standing_total": "status_count",
    "standing_kept": "status_count_snapshot",
}


def upgrade() -> None:
    """Apply."""
    rename_tables(RENAMED)


def downgrade() -> None:
    """Undo."""
    rename_tables({new: old for old, new in RENAMED.items()})


def rename_tables(names: dict[str, str]) -> None:
    """Rename tables in place; what refers to them by foreign keys or indexes follows."""
    if op.get_bind().dialect.name == "sqlite":
        op.execute("PRAGMA legacy_alter_table = OFF")  # on in some builds: references would keep the old name
    for old, new in names.items():
        op.rename_table(old, new)
