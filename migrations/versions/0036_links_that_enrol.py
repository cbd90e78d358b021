"""Adds to links for a password whether they lead through a second factor too."""

import sqlalchemy as sa
from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

# Links that an administrator made, or that came with an invitation. Of the others nobody can tell those of
# a command from those that were asked for at the sign-in page, so they enrol nobody.
MARK_LINKS_OF_ADMINISTRATORS = """
UPDATE password_link SET may_enrol = true
WHERE created_by_id IS NOT NULL OR EXISTS (
    SELECT 1 FROM invitation
    WHERE invitation.person_id = password_link.person_id AND invitation.expires_at = password_link.expires_at
)
"""


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "password_link", sa.Column("may_enrol", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.execute(MARK_LINKS_OF_ADMINISTRATORS)


def downgrade() -> None:
    """Undo."""
    op.drop_column("password_link", "may_enrol")
