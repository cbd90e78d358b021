"""Saves whether a lesson or item was clear, an author's answer, and erases what a person said.

A learner's answer is not in the audit trail, touches no status and takes no stamp: no report on a person can
show it. An author's answer is logged, without the person it goes to.
"""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Row, delete, insert, select
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError

from portal.domain.catalogue.models import Activity
from portal.domain.clarity.models import ClarityAnswer, ClarityReply, ClarityWords
from portal.domain.clarity.queries import STANDS
from portal.platform.audit.services import log
from portal.platform.db import db
from portal.platform.errors import ConflictError, NotFoundError, RuleError

LONGEST = 500  # characters of a learner's words
LONGEST_REPLY = 2_000


class LongWordsError(RuleError):
    """Somebody wrote more than there is room for."""

    def __init__(self, longest: int) -> None:
        super().__init__(f"Write {longest} characters or fewer. Nothing was saved.")


def save_answer(
    person_id: int, activity_id: int, version_id: int, place: str, *, clear: bool, words: str, at: datetime
) -> bool:
    """Save whether something was clear; it replaces what the person said of it before.

    The words of the answer before are erased, so that only those that stand are kept.

    Args:
        person_id: Who answers.
        activity_id: Of the module.
        version_id: That they read.
        place: "lesson:key" or "item:key".
        clear: Whether it was.
        words: What they add; may be empty.
        at: Now.

    Returns:
        Whether anything was saved: saying the same again changes nothing.

    Raises:
        LongWordsError: There are too many words.
    """
    text = _read_words(words, LONGEST)
    last = _standing_answer(person_id, activity_id, place)
    if last is not None and (last.clear, last.text or "") == (clear, text):
        return False
    answer = ClarityAnswer(
        person_id=person_id,
        activity_id=activity_id,
        module_version_id=version_id,
        place=place,
        number=last.number + 1 if last else 1,
        clear=clear,
        answered_at=at,
    )
    is_added = _add_answer(answer, text)
    if is_added and last is not None:
        _erase_unanswered_words(last.id)
    return is_added


def _add_answer(answer: ClarityAnswer, text: str) -> bool:
    """Add an answer with its words; False if another click was quicker."""
    try:
        with db.session.begin_nested():
            db.session.add(answer)
            db.session.flush()
            if text:
                db.session.add(ClarityWords(answer_id=answer.id, text=text))
    except IntegrityError:
        return False
    return True


def _standing_answer(person_id: int, activity_id: int, place: str) -> Row[int, int, bool, str] | None:
    return db.session.execute(
        select(ClarityAnswer.id, ClarityAnswer.number, ClarityAnswer.clear, ClarityWords.text)
        .outerjoin(ClarityWords, ClarityWords.answer_id == ClarityAnswer.id)
        .where(
            ClarityAnswer.person_id == person_id,
            ClarityAnswer.activity_id == activity_id,
            ClarityAnswer.place == place,
            STANDS,
        )
    ).one_or_none()


def _read_words(sent: str, longest: int) -> str:
    """The words as they are kept.

    Raises:
        LongWordsError: There are too many.
    """
    text = sent.replace("\r\n", "\n").strip()
    if len(text) > longest:
        raise LongWordsError(longest)
    return text


def _erase_unanswered_words(answer_id: int) -> None:
    """Erase the words of an answer, unless an author replied to them: a reply needs its question."""
    _erase_for_good()
    replied = select(ClarityReply.id).where(ClarityReply.answer_id == answer_id).exists()
    db.session.execute(delete(ClarityWords).where(ClarityWords.answer_id == answer_id, ~replied))


def _erase_for_good() -> None:
    if db.engine.dialect.name == "sqlite":  # otherwise the words stay in the file until overwritten
        db.session.execute(sql("PRAGMA secure_delete = ON"))


def erase_own_answer(person_id: int, answer_id: int) -> None:
    """Erase all that a person said of the lesson or item of one of their answers. Repeat-safe."""
    _erase_for_good()
    place = db.session.execute(
        select(ClarityAnswer.activity_id, ClarityAnswer.place).where(
            ClarityAnswer.id == answer_id, ClarityAnswer.person_id == person_id
        )
    ).one_or_none()
    if place is not None:
        db.session.execute(
            delete(ClarityAnswer).where(
                ClarityAnswer.person_id == person_id,
                ClarityAnswer.activity_id == place.activity_id,
                ClarityAnswer.place == place.place,
            )
        )


def erase_clarity(people: Collection[int]) -> None:
    """Erase all that these people said, with the authors' answers to them. Repeat-safe."""
    _erase_for_good()
    db.session.execute(delete(ClarityAnswer).where(ClarityAnswer.person_id.in_(people)))


def reply_to_words(key: str, answer_id: int, text: str, *, by: int, at: datetime) -> int:
    """Answer a learner's words; return the id of the person who gets the answer, for their mail alone.

    Args:
        key: The module's.
        answer_id: Whose words are answered.
        text: The author's answer.
        by: The author.
        at: Now.

    Raises:
        ConflictError: The words were answered already, changed or erased.
        RuleError: The answer is empty or too long.
    """
    text = _read_words(text, LONGEST_REPLY)
    if not text:
        raise RuleError("Write your answer")
    row = db.session.execute(
        select(ClarityAnswer.person_id, ClarityAnswer.place, Activity.key)
        .join(Activity, Activity.id == ClarityAnswer.activity_id)
        .join(ClarityWords, ClarityWords.answer_id == ClarityAnswer.id)
        .where(ClarityAnswer.id == answer_id, STANDS)
    ).one_or_none()
    if row is None:
        raise ConflictError("Whoever wrote this has changed or erased it. Nothing was sent.")
    if row.key != key:
        raise NotFoundError("There is no such question about this module.")
    reply = {"answer_id": answer_id, "text": text, "replied_by_id": by, "replied_at": at}
    try:
        with db.session.begin_nested():
            db.session.execute(insert(ClarityReply).values(reply))
    except IntegrityError:
        raise ConflictError("Another author has answered this already.") from None
    log("clarity.replied", actor_id=by, module=key, place=row.place)
    return int(row.person_id)
