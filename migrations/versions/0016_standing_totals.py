"""Adds tables of how many people have each status on each day, and fills them."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None
needs_stop = True

WORDS = sa.String().with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
WHOLE_NUMBERS = ("position", "status", "due_on", "since_on")
OPEN, LAST_DAY, EXPIRED = 2**63 - 1, 3_652_059, 2  # as the spans have them
SINCE = f"CASE WHEN s.status = {EXPIRED} AND s.valid_until > s.due_on THEN s.valid_until ELSE s.due_on END"
COUNTED = {  # kind: unit, position, due, since, whether by reason
    1: ("s.unit_id", "0", "0", "0", False),
    2: ("0", "s.position", "0", "0", False),
    3: ("0", "0", "s.due_on", SINCE, True),
}
JOINED = (
    """FROM standing_span s JOIN post p ON p.id = s.post_id LEFT JOIN exclusion e ON e.id = s.exclusion_id"""
)


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "standing_group",
        sa.Column("id", ID, nullable=False),
        sa.Column("designated_role", WORDS, nullable=False),
        sa.Column("rank_or_grade", WORDS, nullable=False),
        sa.Column("reason", WORDS, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_group")),
        sa.UniqueConstraint(
            "designated_role",
            "rank_or_grade",
            "reason",
            name=op.f("uq_standing_group_designated_role_rank_or_grade_reason"),
        ),
    )
    key = ["directive_id", "kind", "summed", "day", "unit_id", *WHOLE_NUMBERS, "group_id"]
    op.create_table(
        "standing_total",
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("kind", sa.Integer(), nullable=False),
        sa.Column("summed", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("unit_id", ID, nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in WHOLE_NUMBERS),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("people", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directive.id"], name=op.f("fk_standing_total_directive_id")
        ),
        sa.ForeignKeyConstraint(["group_id"], ["standing_group.id"], name=op.f("fk_standing_total_group_id")),
        sa.PrimaryKeyConstraint(*key, name=op.f("pk_standing_total")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "standing_kept",
        sa.Column("directive_id", ID, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["directive_id"], ["directive.id"], name=op.f("fk_standing_kept_directive_id")
        ),
        sa.PrimaryKeyConstraint("directive_id", "day", name=op.f("pk_standing_kept")),
        sqlite_with_rowid=False,
    )
    op.execute(
        "INSERT INTO standing_group (designated_role, rank_or_grade, reason) SELECT DISTINCT"
        f" p.designated_role, p.rank_or_grade, '' {JOINED} WHERE s.known_to = {OPEN} UNION SELECT DISTINCT"
        f" p.designated_role, p.rank_or_grade, coalesce(e.reason, '') {JOINED} WHERE s.known_to = {OPEN}"
    )
    for kind in COUNTED:
        _fill(kind, key)


def _fill(kind: int, key: list[str]) -> None:
    unit, position, due, since, by_reason = COUNTED[kind]
    reason = "coalesce(e.reason, '')" if by_reason else "''"
    group = (
        " JOIN standing_group g ON g.designated_role = p.designated_role"
        f" AND g.rank_or_grade = p.rank_or_grade AND g.reason = {reason}"
    )
    where = f"s.known_to = {OPEN}" + ("" if kind == 2 else " AND s.position = 0")
    columns = (
        f"s.directive_id AS directive_id, {kind} AS kind, 0 AS summed, {{}} AS day, {unit} AS unit_id, "
        f"{position} AS position, s.status AS status, {due} AS due_on, {since} AS since_on, g.id AS group_id"
    )
    begun = f"SELECT {columns.format('s.from_on')}, 1 AS people {JOINED}{group} WHERE {where}"
    ended = (
        f"SELECT {columns.format('s.to_on + 1')}, -1 AS people {JOINED}{group}"
        f" WHERE {where} AND s.to_on < {LAST_DAY}"
    )
    names = ", ".join(key)
    op.execute(  # of texts of this file alone
        f"INSERT INTO standing_total ({names}, people) SELECT {names}, sum(people)"  # noqa: S608
        f" FROM ({begun} UNION ALL {ended}) changes GROUP BY {names} HAVING sum(people) <> 0"
    )


def downgrade() -> None:
    """Undo."""
    op.drop_table("standing_kept")
    op.drop_table("standing_total")
    op.drop_table("standing_group")
