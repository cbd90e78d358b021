"""Makes indexes anew that hold all that reports ask of spans, attempts and submissions."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

WHOLE = ["directive_id", "unit_id", "status", "from_on", "to_on", "known_from", "known_to"]
OF_WHOLE = {"sqlite_where": sa.text("position = 0"), "postgresql_where": sa.text("position = 0")}
PERSON = ["person_id", "directive_id"]


def upgrade() -> None:
    """Apply."""
    op.drop_index("ix_span_whole", table_name="standing_span", **OF_WHOLE)
    op.create_index("ix_span_whole", "standing_span", [*WHOLE, "person_id", "post_id", "due_on"], **OF_WHOLE)
    op.drop_index("ix_span_person", table_name="standing_span")
    when = ["position", "from_on", "to_on", "known_from", "known_to"]
    op.create_index("ix_span_person", "standing_span", [*PERSON, *when])
    op.create_index("ix_attempt_registration", "attempt", ["registration_id", "id"])
    scored = ["attempt_id", "submitted_at", "recorded_at", "score_raw", "score_max"]
    op.create_index("ix_submission_scored", "submission", scored)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_submission_scored", table_name="submission")
    op.drop_index("ix_attempt_registration", table_name="attempt")
    op.drop_index("ix_span_person", table_name="standing_span")
    op.create_index("ix_span_person", "standing_span", PERSON)
    op.drop_index("ix_span_whole", table_name="standing_span", **OF_WHOLE)
    op.create_index("ix_span_whole", "standing_span", WHOLE, **OF_WHOLE)
