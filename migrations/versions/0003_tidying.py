"""Adds indexes by which old rows of signing in are found."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FOUND_BY = (
    ("sign_in_session", "created_at"),
    ("password_link", "expires_at"),
    ("held_form", "expires_at"),
    ("sign_in_failure", "failed_at"),
)


def upgrade() -> None:
    """Apply."""
    for table, column in FOUND_BY:
        op.create_index(op.f(f"ix_{table}_{column}"), table, [column])


def downgrade() -> None:
    """Undo."""
    for table, column in reversed(FOUND_BY):
        op.drop_index(op.f(f"ix_{table}_{column}"), table_name=table)
