"""Indexes what is looked up in any capitals: staff numbers, email addresses, and numbers of other systems.

A first sign-in by a provider, and each change by SCIM, read the names of the whole force.
"""

import sqlalchemy as sa
from alembic import op

revision = "0060"
down_revision = "0059"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply."""
    op.create_index("ix_person_name_staff_number_lower", "person_name", [sa.text("lower(staff_number)")])
    op.create_index("ix_person_name_email_lower", "person_name", [sa.text("lower(email)")])
    op.create_index("ix_identifier_value_lower", "identifier", ["scheme", sa.text("lower(value)")])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_identifier_value_lower", "identifier")
    op.drop_index("ix_person_name_email_lower", "person_name")
    op.drop_index("ix_person_name_staff_number_lower", "person_name")
