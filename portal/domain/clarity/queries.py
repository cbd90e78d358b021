"""What a person answered and was answered, for that person; and what learners say, without their names."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, case, exists, func, select
from sqlalchemy.orm import aliased

from portal.domain.catalogue.models import Activity, Item, Lesson, ModuleVersion
from portal.domain.clarity.models import ClarityAnswer, ClarityReply, ClarityWords
from portal.platform.column_types import UtcDateTime
from portal.platform.db import db, read

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
