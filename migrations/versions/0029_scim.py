"""Adds provisioning by SCIM."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "scim_user",
        sa.Column("person_id", ID, nullable=False),
        sa.Column("confirmed_at", INSTANT),
        sa.Column("removed_at", INSTANT),
        sa.Column("rank_or_grade", WORDS),
        sa.Column("designated_role", WORDS),
        sa.Column("unit_path", WORDS),
        sa.Column("line_manager_id", ID),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_scim_user_person_id")),
        sa.ForeignKeyConstraint(
            ["line_manager_id"], ["person.id"], name=op.f("fk_scim_user_line_manager_id")
        ),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_scim_user")),
    )
    op.create_table(
        "scim_group",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("display_name", WORDS, nullable=False),
        sa.Column("external_id", WORDS),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("role", WORDS),
        sa.Column("unit_id", ID),
        sa.Column("mapped_by_id", ID),
        sa.Column("mapped_at", INSTANT),
        sa.CheckConstraint("role IS NOT NULL OR unit_id IS NULL", name=op.f("ck_scim_group_unit_needs_role")),
        sa.CheckConstraint(
            "(role IS NULL) = (mapped_by_id IS NULL)", name=op.f("ck_scim_group_role_needs_giver")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_scim_group_unit_id")),
        sa.ForeignKeyConstraint(["mapped_by_id"], ["person.id"], name=op.f("fk_scim_group_mapped_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scim_group")),
        sa.UniqueConstraint("display_name", name=op.f("uq_scim_group_display_name")),
        sa.UniqueConstraint("external_id", name=op.f("uq_scim_group_external_id")),
    )
    op.create_table(
        "scim_member",
        sa.Column("group_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", ID, nullable=False),
        sa.Column("grant_id", ID),
        sa.ForeignKeyConstraint(["group_id"], ["scim_group.id"], name=op.f("fk_scim_member_group_id")),
        sa.ForeignKeyConstraint(["person_id"], ["person.id"], name=op.f("fk_scim_member_person_id")),
        sa.ForeignKeyConstraint(["grant_id"], ["role_grant.id"], name=op.f("fk_scim_member_grant_id")),
        sa.PrimaryKeyConstraint("group_id", "person_id", name=op.f("pk_scim_member")),
    )
    op.create_index("ix_scim_member_person_id", "scim_member", ["person_id"])


def downgrade() -> None:
    """Undo."""
    for table in ("scim_member", "scim_group", "scim_user"):
        op.drop_table(table)
