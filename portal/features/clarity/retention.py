"""The class of retention of what learners wrote: the words go after a time, the counts stay."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, select

from portal.domain.retention.classes import FeatureClass, RetentionClass
from portal.domain.retention.stores import DueRows, Limit, Store
from portal.features.clarity.models import ClarityAnswer, ClarityReply, ClarityWords
from portal.platform.db import db


def _due_words(limit: Limit) -> DueRows:
    answer = ClarityAnswer
    source = select().select_from(ClarityWords).join(answer, answer.id == ClarityWords.answer_id)
    source = source.where(answer.answered_at < limit.before_at)
    return DueRows(ClarityWords.answer_id, answer.answered_at, source, (answer.person_id,))


def _remove_words(answer_ids: Sequence[Any]) -> None:
    """Remove the words and the authors' answers to them: neither is understood without the other."""
    for table in (ClarityReply, ClarityWords):
        db.session.execute(delete(table).where(table.answer_id.in_(answer_ids)))


_STORES = (Store("notes on clarity", _due_words, _remove_words),)

CLASSES = (
    FeatureClass(
        "copies",
        RetentionClass(
            "clarity",
            "Words on what was unclear",
            "What learners wrote about lessons and questions, and the authors’ answers to it.",
            "How many found a lesson or question clear.",
            "the day on which it was written",
            "Authors need the words until the next version, at the latest at the review of a module.",
            24,
            3,
        ),
        _STORES,
        "until you erase it or your account is closed, at the latest {clarity}",
    ),
)
