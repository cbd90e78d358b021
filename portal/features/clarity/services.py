"""Saves whether a lesson or item was clear, an author's answer, and erases what a person said.

A learner's answer is not in the audit trail, touches no status and takes no stamp: no report on a person can
show it. An author's answer is logged, without the person it goes to.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, and_, bindparam, case, delete, exists, func, insert, select
from sqlalchemy import text as sql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, Item, Lesson, ModuleVersion
from portal.features.clarity.models import ClarityAnswer, ClarityReply, ClarityWords
from portal.platform.audit import log
from portal.platform.db import UtcDateTime, db, read
from portal.platform.errors import ConflictError, NotFoundError, RuleError

# What a person answered and was answered, for that person; and what learners say, without their names.

LEAST_PEOPLE = 10  # of whom an author may be told how many found something clear
REPLY_IS_NEW = timedelta(days=28)  # shown on My learning for so long
MOST_WORDS = 200  # that one page shows

_LATER = aliased(ClarityAnswer)
STANDS = ~exists().where(
    _LATER.person_id == ClarityAnswer.person_id,
    _LATER.activity_id == ClarityAnswer.activity_id,
    _LATER.place == ClarityAnswer.place,
    _LATER.number > ClarityAnswer.number,
)


@dataclass(frozen=True, slots=True)
class OwnClarity:
    """What a person said of one lesson or item last, and what an author answered."""

    answer_id: int
    slug: str
    module: str  # its title
    place: str
    lesson: str | None  # its title
    prompt_html: str | None  # of an item
    clear: bool
    answered_at: datetime
    text: str | None
    reply: str | None
    replied_at: datetime | None

    @property
    def module_title(self) -> str:
        """The module's title up to its colon."""
        return self.module.partition(":")[0]


@dataclass(frozen=True, slots=True)
class LearnersWords:
    """What somebody wrote about a lesson or item; the author never learns who."""

    answer_id: int
    place: str
    version: int  # the number of the version that was read
    clear: bool
    text: str
    reply: str | None


@dataclass(slots=True)
class PlaceFeedback:
    """What learners say of one lesson or item, over all versions."""

    clear: int = 0  # people
    unclear: int = 0
    words: list[LearnersWords] = field(default_factory=list)

    @property
    def people(self) -> int:
        """How many people answered."""
        return self.clear + self.unclear

    @property
    def is_counted(self) -> bool:
        """Whether enough people answered for the numbers to be shown."""
        return self.people >= LEAST_PEOPLE

    @property
    def open_words(self) -> list[LearnersWords]:
        """Words that nobody has answered."""
        return [words for words in self.words if words.reply is None]


_REPLIES: Any = (
    select(func.count(ClarityReply.id))
    .join(ClarityAnswer, ClarityAnswer.id == ClarityReply.answer_id)
    .where(
        ClarityAnswer.person_id == bindparam("person_id"),
        ClarityReply.replied_at >= bindparam("since", type_=UtcDateTime()),
    )
)


def count_replies_since(person_id: int, since: datetime) -> int:
    """How many of the person's words an author answered since then. One statement."""
    return int(read(_REPLIES, {"person_id": person_id, "since": since})[0][0])


def own_clarity(person_id: int) -> list[OwnClarity]:
    """What the person said that stands, or was answered: the latest first. One statement."""
    rows = db.session.execute(
        select(
            ClarityAnswer.id,
            Activity.key,
            ModuleVersion.title,
            ClarityAnswer.place,
            Lesson.title,
            Item.prompt_html,
            ClarityAnswer.clear,
            ClarityAnswer.answered_at,
            ClarityWords.text,
            ClarityReply.text,
            ClarityReply.replied_at,
        )
        .join(Activity, Activity.id == ClarityAnswer.activity_id)
        .join(ModuleVersion, ModuleVersion.id == ClarityAnswer.module_version_id)
        .outerjoin(Lesson, _is_of_place(Lesson, "lesson:"))
        .outerjoin(Item, _is_of_place(Item, "item:"))
        .outerjoin(ClarityWords, ClarityWords.answer_id == ClarityAnswer.id)
        .outerjoin(ClarityReply, ClarityReply.answer_id == ClarityAnswer.id)
        .where(ClarityAnswer.person_id == person_id, STANDS | ClarityReply.id.is_not(None))
        .order_by(ClarityAnswer.id.desc())
    )
    return [OwnClarity(*row) for row in rows]


def _is_of_place(table: Any, prefix: str) -> Any:
    """ON clause: the lesson or item of the answer's place, in the version that was read."""
    return and_(
        table.module_version_id == ClarityAnswer.module_version_id,
        ClarityAnswer.place == prefix + table.key,
    )


def feedback_by_place(activity_id: int) -> dict[str, PlaceFeedback]:
    """What learners say of each lesson and item of a module. Two statements."""
    feedback: dict[str, PlaceFeedback] = {}
    counts = (
        select(ClarityAnswer.place, func.sum(case((ClarityAnswer.clear, 1), else_=0)), func.count())
        .where(ClarityAnswer.activity_id == activity_id, STANDS)
        .group_by(ClarityAnswer.place)
    )
    for place, clear, people in db.session.execute(counts):
        feedback[place] = PlaceFeedback(int(clear), people - int(clear))
    for row in db.session.execute(_words_of(activity_id)):
        words = LearnersWords(*row)
        feedback.setdefault(words.place, PlaceFeedback()).words.append(words)
    return feedback


def _words_of(activity_id: int) -> Any:
    """The words about a module that stand, those without an answer first; in no order that tells a time."""
    return (
        select(
            ClarityAnswer.id,
            ClarityAnswer.place,
            ModuleVersion.number,
            ClarityAnswer.clear,
            ClarityWords.text,
            ClarityReply.text,
        )
        .join(ClarityWords, ClarityWords.answer_id == ClarityAnswer.id)
        .join(ModuleVersion, ModuleVersion.id == ClarityAnswer.module_version_id)
        .outerjoin(ClarityReply, ClarityReply.answer_id == ClarityAnswer.id)
        .where(ClarityAnswer.activity_id == activity_id, STANDS)
        .order_by(ClarityReply.id.is_not(None), ModuleVersion.number.desc(), ClarityWords.text)
        .limit(MOST_WORDS)
    )


def count_open_words() -> dict[str, int]:
    """How many words wait for an author’s answer, by the module's key. One statement."""
    rows = db.session.execute(
        select(Activity.key, func.count())
        .join(ClarityAnswer, ClarityAnswer.activity_id == Activity.id)
        .join(ClarityWords, ClarityWords.answer_id == ClarityAnswer.id)
        .outerjoin(ClarityReply, ClarityReply.answer_id == ClarityAnswer.id)
        .where(ClarityReply.id.is_(None), STANDS)
        .group_by(Activity.key)
        .order_by(Activity.key)
    )
    return {key: count for key, count in rows}


def replies_to(person_id: int, since: datetime) -> Sequence[str]:
    """The titles of the modules about which the person was answered since then. One statement."""
    titles = db.session.scalars(
        select(ModuleVersion.title)
        .join(ClarityAnswer, ClarityAnswer.module_version_id == ModuleVersion.id)
        .join(ClarityReply, ClarityReply.answer_id == ClarityAnswer.id)
        .where(ClarityAnswer.person_id == person_id, ClarityReply.replied_at >= since)
        .order_by(ClarityReply.id)
    )
    return list(dict.fromkeys(title.partition(":")[0] for title in titles))


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
