"""Marks of the tables of the assurance desk."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from sqlalchemy import select

from portal.domain.subject_access.register.marks import WORK, PersonalTable, View
from portal.domain.subject_access.register.people import FACT
from portal.features.assurance.models import AssuranceAction, Evidence, Recommendation

_RECORDED = {"recorded_at": "Recorded"}
_HOLDS = {"from_on": "From", "void": "Taken back by a correction", **_RECORDED}
_RECORDER = {"recorded_by_id": "who recorded it"}

_DESK = (
    PersonalTable(
        "recommendation_version",
        WORK,
        "record",
        (View("Versions of recommendations you published", "published_by_id"),),
        {"title": "Title", "number": "Version", "published_at": "Published"},
        people={"published_by_id": "the publisher"},
        technical=f"{FACT} recorded_at void recommendation_id digest content source addressee wording"
        " deadline_on place",
    ),
    PersonalTable(
        "recommendation_owner",
        WORK,
        "record",
        (
            View("Recommendations you own or owned", "person_id"),
            View("Recommendations you gave an owner", "recorded_by_id", "recommendation_id from_on"),
        ),
        {"recommendation_id": "Recommendation", **_HOLDS},
        people={"person_id": "the owner", **_RECORDER},
        technical=FACT,
    ),
    PersonalTable(
        "action_version",
        WORK,
        "record",
        (
            View("Actions on recommendations that are yours", "owner_id"),
            View("Actions on recommendations that you recorded", "recorded_by_id"),
        ),
        {
            "action_id": "Action",
            "title": "What",
            "due_on": "Due",
            "state": "State",
            "reason": "Reason",
            **_HOLDS,
        },
        people={"owner_id": "the owner", **_RECORDER},
        by_others="title reason",
        technical=FACT,
    ),
    PersonalTable(
        "assurance_decision",
        WORK,
        "record",
        (View("Decisions on recommendations that you recorded", "recorded_by_id"),),
        {
            "recommendation_id": "Recommendation",
            "title": "Decision",
            "text": "Text",
            "decided_by": "Decided by",
            **_HOLDS,
        },
        people=_RECORDER,
        technical=FACT,
    ),
    PersonalTable(
        "risk_assessment",
        WORK,
        "record",
        (View("Risks of recommendations that you recorded", "recorded_by_id"),),
        {
            "recommendation_id": "Recommendation",
            "likelihood": "Likelihood",
            "impact": "Impact",
            "text": "Text",
            **_HOLDS,
        },
        people=_RECORDER,
        technical=FACT,
    ),
    PersonalTable(
        "narrative",
        WORK,
        "record",
        (View("Answers to recommendations that you wrote", "recorded_by_id"),),
        {"recommendation_id": "Recommendation", "text": "Text", **_HOLDS},
        people=_RECORDER,
        technical=FACT,
    ),
    PersonalTable(
        "evidence_version",
        WORK,
        "record",
        (
            View("Evidence for recommendations that you own", "owner_id"),
            View("Evidence for recommendations that you recorded", "recorded_by_id"),
        ),
        {
            "evidence_id": "Evidence",
            "title": "Title",
            "kind": "Kind",
            "review_on": "Review",
            "withdrawn": "Withdrawn",
            "reason": "Reason",
            **_HOLDS,
        },
        people={"owner_id": "the owner", **_RECORDER},
        by_others="title reason",
        technical=f"{FACT} definition",
    ),
    PersonalTable(
        "evidence_document",
        WORK,
        "record",
        (View("Documents that you added as evidence", "recorded_by_id"),),
        {"file_name": "File", **_RECORDED},
        people=_RECORDER,
        technical="digest media_type content",
    ),
    PersonalTable(
        "judgement",
        WORK,
        "record",
        (View("Judgements of recommendations that you made", "made_by_id"),),
        {"recommendation_id": "Recommendation", "state": "Judgement", "reason": "Reason", **_HOLDS},
        people={"made_by_id": "who judged"},
        technical=f"{FACT} as_known_on figures",
    ),
    PersonalTable(
        "judgement_decision",
        WORK,
        "record",
        (View("Judgements of others that you confirmed or sent back", "decided_by_id"),),
        {"decided_on": "Day", "outcome": "Outcome", "reason": "Reason", **_RECORDED},
        people={"decided_by_id": "who decided"},
        technical="id judgement_id",
    ),
    PersonalTable(
        "plan_version",
        WORK,
        "record",
        (
            View("Plans you wrote", "proposed_by_id"),
            View("Plans you published", "published_by_id", "number published_at"),
        ),
        {"number": "Version", "published_at": "Published"},
        people={"proposed_by_id": "the author", "published_by_id": "the publisher"},
        technical=f"{FACT} recorded_at void recommendation_id from_on content review_on guide_version_id",
    ),
)
_AFTER = "run_action"  # the last of exercises
TABLES = (
    (_AFTER, _DESK[0]),
    *((before.name, table) for before, table in pairwise(_DESK)),
)
REFERENCES: dict[str, tuple[Any, Callable[..., str]]] = {
    "recommendation": (select(Recommendation.id, Recommendation.key), str),
    "assurance_action": (select(AssuranceAction.id, AssuranceAction.reference), str),
    "evidence": (select(Evidence.id, Evidence.reference), str),
}
