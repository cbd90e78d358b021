"""The assurance desk: recommendations, what is done about them, evidence, judgements and the plan."""

import sqlalchemy as sa
from alembic import op

from migrations.append_only import ASSURANCE_FACT_TABLES, protect, unprotect
from migrations.table_parts import ID, INSTANT, WORDS, make_key, refer_to, require

revision = "0054"
down_revision = "0053"
branch_labels = None
depends_on = None


def _add_recommendation() -> None:
    op.create_table(
        "recommendation",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("key", WORDS),
        make_key("recommendation", "id"),
        sa.UniqueConstraint("key", name=op.f("uq_recommendation_key")),
    )


def _add_recommendation_version() -> None:
    op.create_table(
        "recommendation_version",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("recommendation_id", ID),
        require("number", sa.Integer()),
        require("digest", WORDS),
        require("content", sa.LargeBinary()),
        require("title", WORDS),
        require("source", WORDS),
        require("addressee", WORDS),
        require("wording", WORDS),
        require("deadline_on", sa.Date()),
        require("place", sa.Integer()),
        require("published_at", INSTANT),
        sa.Column("published_by_id", ID, nullable=True),
        refer_to("recommendation_version", "published_by_id", "person.id"),
        refer_to("recommendation_version", "recommendation_id", "recommendation.id"),
        refer_to("recommendation_version", "replaces_id", "recommendation_version.id"),
        make_key("recommendation_version", "id"),
        sa.UniqueConstraint(
            "recommendation_id", "number", name=op.f("uq_recommendation_version_recommendation_id_number")
        ),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_recommendation_version_replaces_id")),
    )


def _add_recommendation_owner() -> None:
    op.create_table(
        "recommendation_owner",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("recommendation_id", ID),
        require("from_on", sa.Date()),
        sa.Column("person_id", ID, nullable=True),
        require("recorded_by_id", ID),
        refer_to("recommendation_owner", "person_id", "person.id"),
        refer_to("recommendation_owner", "recommendation_id", "recommendation.id"),
        refer_to("recommendation_owner", "recorded_by_id", "person.id"),
        refer_to("recommendation_owner", "replaces_id", "recommendation_owner.id"),
        make_key("recommendation_owner", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_recommendation_owner_replaces_id")),
    )
    op.create_index(
        "ix_recommendation_owner_recommendation_id",
        "recommendation_owner",
        ["recommendation_id"],
        unique=False,
    )


def _add_assurance_action() -> None:
    op.create_table(
        "assurance_action",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("reference", WORDS),
        require("recommendation_id", ID),
        refer_to("assurance_action", "recommendation_id", "recommendation.id"),
        make_key("assurance_action", "id"),
        sa.UniqueConstraint("reference", name=op.f("uq_assurance_action_reference")),
    )
    op.create_index(
        "ix_assurance_action_recommendation_id", "assurance_action", ["recommendation_id"], unique=False
    )


def _add_action_version() -> None:
    op.create_table(
        "action_version",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("action_id", ID),
        require("from_on", sa.Date()),
        require("title", WORDS),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        require("state", WORDS),
        require("reason", WORDS),
        require("recorded_by_id", ID),
        sa.CheckConstraint(
            "state IN ('open', 'under_way', 'done', 'dropped')", name=op.f("ck_action_version_state_is_known")
        ),
        refer_to("action_version", "action_id", "assurance_action.id"),
        refer_to("action_version", "owner_id", "person.id"),
        refer_to("action_version", "recorded_by_id", "person.id"),
        refer_to("action_version", "replaces_id", "action_version.id"),
        make_key("action_version", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_action_version_replaces_id")),
    )
    op.create_index("ix_action_version_action_id", "action_version", ["action_id"], unique=False)


def _add_action_dependency() -> None:
    op.create_table(
        "action_dependency",
        require("action_version_id", ID),
        require("depends_on_id", ID),
        refer_to("action_dependency", "action_version_id", "action_version.id"),
        refer_to("action_dependency", "depends_on_id", "assurance_action.id"),
        make_key("action_dependency", "action_version_id", "depends_on_id"),
    )
    op.create_index(
        "ix_action_dependency_depends_on_id", "action_dependency", ["depends_on_id"], unique=False
    )


def _add_assurance_decision() -> None:
    op.create_table(
        "assurance_decision",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("recommendation_id", ID),
        require("from_on", sa.Date()),
        require("title", WORDS),
        require("text", WORDS),
        require("decided_by", WORDS),
        require("recorded_by_id", ID),
        refer_to("assurance_decision", "recommendation_id", "recommendation.id"),
        refer_to("assurance_decision", "recorded_by_id", "person.id"),
        refer_to("assurance_decision", "replaces_id", "assurance_decision.id"),
        make_key("assurance_decision", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_assurance_decision_replaces_id")),
    )
    op.create_index(
        "ix_assurance_decision_recommendation_id", "assurance_decision", ["recommendation_id"], unique=False
    )


def _add_risk_assessment() -> None:
    op.create_table(
        "risk_assessment",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("recommendation_id", ID),
        require("from_on", sa.Date()),
        require("likelihood", sa.Integer()),
        require("impact", sa.Integer()),
        require("text", WORDS),
        require("recorded_by_id", ID),
        sa.CheckConstraint("impact BETWEEN 1 AND 5", name=op.f("ck_risk_assessment_impact_is_on_the_scale")),
        sa.CheckConstraint(
            "likelihood BETWEEN 1 AND 5", name=op.f("ck_risk_assessment_likelihood_is_on_the_scale")
        ),
        refer_to("risk_assessment", "recommendation_id", "recommendation.id"),
        refer_to("risk_assessment", "recorded_by_id", "person.id"),
        refer_to("risk_assessment", "replaces_id", "risk_assessment.id"),
        make_key("risk_assessment", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_risk_assessment_replaces_id")),
    )
    op.create_index(
        "ix_risk_assessment_recommendation_id", "risk_assessment", ["recommendation_id"], unique=False
    )


def _add_narrative() -> None:
    op.create_table(
        "narrative",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("recommendation_id", ID),
        require("from_on", sa.Date()),
        require("text", WORDS),
        require("recorded_by_id", ID),
        refer_to("narrative", "recommendation_id", "recommendation.id"),
        refer_to("narrative", "recorded_by_id", "person.id"),
        refer_to("narrative", "replaces_id", "narrative.id"),
        make_key("narrative", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_narrative_replaces_id")),
    )
    op.create_index("ix_narrative_recommendation_id", "narrative", ["recommendation_id"], unique=False)


def _add_evidence() -> None:
    op.create_table(
        "evidence",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("reference", WORDS),
        require("recommendation_id", ID),
        refer_to("evidence", "recommendation_id", "recommendation.id"),
        make_key("evidence", "id"),
        sa.UniqueConstraint("reference", name=op.f("uq_evidence_reference")),
    )
    op.create_index("ix_evidence_recommendation_id", "evidence", ["recommendation_id"], unique=False)


def _add_evidence_version() -> None:
    op.create_table(
        "evidence_version",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("evidence_id", ID),
        require("from_on", sa.Date()),
        require("title", WORDS),
        require("kind", WORDS),
        require("definition", sa.JSON()),
        sa.Column("owner_id", ID, nullable=True),
        sa.Column("review_on", sa.Date(), nullable=True),
        require("withdrawn", sa.Boolean()),
        require("reason", WORDS),
        require("recorded_by_id", ID),
        sa.CheckConstraint(
            "kind IN ('figure', 'acknowledgements', 'attendance', 'samples', 'document', 'link', 'statement')",
            name=op.f("ck_evidence_version_kind_is_known"),
        ),
        refer_to("evidence_version", "evidence_id", "evidence.id"),
        refer_to("evidence_version", "owner_id", "person.id"),
        refer_to("evidence_version", "recorded_by_id", "person.id"),
        refer_to("evidence_version", "replaces_id", "evidence_version.id"),
        make_key("evidence_version", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_evidence_version_replaces_id")),
    )
    op.create_index("ix_evidence_version_evidence_id", "evidence_version", ["evidence_id"], unique=False)


def _add_evidence_document() -> None:
    op.create_table(
        "evidence_document",
        require("digest", WORDS),
        require("recorded_at", INSTANT),
        require("file_name", WORDS),
        require("media_type", WORDS),
        require("content", sa.LargeBinary()),
        require("recorded_by_id", ID),
        refer_to("evidence_document", "recorded_by_id", "person.id"),
        make_key("evidence_document", "digest"),
    )


def _add_evidence_link_check() -> None:
    op.create_table(
        "evidence_link_check",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("address", WORDS),
        require("checked_at", INSTANT),
        require("fault", WORDS),
        make_key("evidence_link_check", "id"),
    )
    op.create_index(
        "ix_evidence_link_check_address", "evidence_link_check", ["address", "checked_at"], unique=False
    )


def _add_judgement() -> None:
    op.create_table(
        "judgement",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("recommendation_id", ID),
        require("from_on", sa.Date()),
        require("as_known_on", INSTANT),
        require("state", WORDS),
        require("reason", WORDS),
        require("figures", sa.JSON()),
        require("made_by_id", ID),
        sa.CheckConstraint(
            "state IN ('met', 'partly_met', 'not_met', 'not_judged')",
            name=op.f("ck_judgement_state_is_known"),
        ),
        refer_to("judgement", "made_by_id", "person.id"),
        refer_to("judgement", "recommendation_id", "recommendation.id"),
        refer_to("judgement", "replaces_id", "judgement.id"),
        make_key("judgement", "id"),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_judgement_replaces_id")),
    )
    op.create_index("ix_judgement_recommendation_id", "judgement", ["recommendation_id"], unique=False)


def _add_judgement_decision() -> None:
    op.create_table(
        "judgement_decision",
        require("id", ID),
        require("recorded_at", INSTANT),
        require("judgement_id", ID),
        require("decided_on", sa.Date()),
        require("outcome", WORDS),
        require("reason", WORDS),
        require("decided_by_id", ID),
        sa.CheckConstraint(
            "outcome IN ('confirmed', 'sent_back', 'withdrawn')",
            name=op.f("ck_judgement_decision_outcome_is_known"),
        ),
        refer_to("judgement_decision", "decided_by_id", "person.id"),
        refer_to("judgement_decision", "judgement_id", "judgement.id"),
        make_key("judgement_decision", "id"),
        sa.UniqueConstraint("judgement_id", name=op.f("uq_judgement_decision_judgement_id")),
    )


def _add_plan_proposal() -> None:
    op.create_table(
        "plan_proposal",
        require("id", ID),
        require("recommendation_id", ID),
        require("content", sa.JSON()),
        require("review_on", sa.Date()),
        require("note", WORDS),
        require("proposed_by_id", ID),
        require("proposed_at", INSTANT),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.Column("ended_as", WORDS, nullable=True),
        sa.Column("ended_by_id", ID, nullable=True),
        require("reason", WORDS),
        sa.CheckConstraint(
            "ended_as IN ('published', 'sent_back', 'withdrawn')", name=op.f("ck_plan_proposal_end_is_known")
        ),
        refer_to("plan_proposal", "ended_by_id", "person.id"),
        refer_to("plan_proposal", "proposed_by_id", "person.id"),
        refer_to("plan_proposal", "recommendation_id", "recommendation.id"),
        make_key("plan_proposal", "id"),
    )
    op.create_index(
        "uq_plan_proposal_recommendation_id_open",
        "plan_proposal",
        ["recommendation_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _add_plan_version() -> None:
    op.create_table(
        "plan_version",
        require("id", ID),
        require("recorded_at", INSTANT),
        sa.Column("replaces_id", ID, nullable=True),
        require("void", sa.Boolean()),
        require("recommendation_id", ID),
        require("number", sa.Integer()),
        require("from_on", sa.Date()),
        require("content", sa.JSON()),
        require("review_on", sa.Date()),
        require("guide_version_id", ID),
        require("published_at", INSTANT),
        require("proposed_by_id", ID),
        require("published_by_id", ID),
        refer_to("plan_version", "guide_version_id", "guide_version.id"),
        refer_to("plan_version", "proposed_by_id", "person.id"),
        refer_to("plan_version", "published_by_id", "person.id"),
        refer_to("plan_version", "recommendation_id", "recommendation.id"),
        refer_to("plan_version", "replaces_id", "plan_version.id"),
        make_key("plan_version", "id"),
        sa.UniqueConstraint(
            "recommendation_id", "number", name=op.f("uq_plan_version_recommendation_id_number")
        ),
        sa.UniqueConstraint("replaces_id", name=op.f("uq_plan_version_replaces_id")),
    )


def upgrade() -> None:
    """Apply."""
    _add_recommendation()
    _add_recommendation_version()
    _add_recommendation_owner()
    _add_assurance_action()
    _add_action_version()
    _add_action_dependency()
    _add_assurance_decision()
    _add_risk_assessment()
    _add_narrative()
    _add_evidence()
    _add_evidence_version()
    _add_evidence_document()
    _add_evidence_link_check()
    _add_judgement()
    _add_judgement_decision()
    _add_plan_proposal()
    _add_plan_version()
    protect(ASSURANCE_FACT_TABLES)


def downgrade() -> None:
    """Undo."""
    unprotect(ASSURANCE_FACT_TABLES)
    op.drop_table("plan_version")
    op.drop_table("plan_proposal")
    op.drop_table("judgement_decision")
    op.drop_table("judgement")
    op.drop_table("evidence_link_check")
    op.drop_table("evidence_document")
    op.drop_table("evidence_version")
    op.drop_table("evidence")
    op.drop_table("narrative")
    op.drop_table("risk_assessment")
    op.drop_table("assurance_decision")
    op.drop_table("action_dependency")
    op.drop_table("action_version")
    op.drop_table("assurance_action")
    op.drop_table("recommendation_owner")
    op.drop_table("recommendation_version")
    op.drop_table("recommendation")
