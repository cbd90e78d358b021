"""The table of versions of the force's plan that nobody published yet."""

from datetime import date
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId, unique_index
from portal.platform.proposals import ProposalColumns


class PlanProposal(ProposalColumns, Base):
    """The next version of the force's plan to collect, analyse and share; a second person publishes it."""

    __tablename__ = "plan_proposal"
    __table_args__ = (
        CheckConstraint("ended_as IN ('published', 'sent_back', 'withdrawn')", name="end_is_known"),
        unique_index(
            "uq_plan_proposal_recommendation_id_open", "recommendation_id", where="ended_at IS NULL"
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recommendation_id: Mapped[int] = mapped_column(ForeignKey("recommendation.id"))
    content: Mapped[dict[str, Any]] = mapped_column(JSON)  # the answers, by the template's keys
    review_on: Mapped[date]
