"""Marks of the table of proposed plans."""

from portal.domain.subject_access.register.marks import mark_proposals

TABLES = (
    ("judgement_decision", mark_proposals("plan_proposal", "Plans", "recommendation_id content review_on")),
)
