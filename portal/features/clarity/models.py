"""Tables of “Was this clear?”. Nothing but this room, its pages and its mail reads them.

All belong to the name of the person who answered, not to the person: erasing the name erases them in the same
statement.
"""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class ClarityAnswer(Base):
    """A person said whether a lesson or item was clear; never changed, but it may be erased.

    It takes no stamp, so that answering is seen in no report, not even in the instant it is known on.
    """

    __tablename__ = "clarity_answer"
    __table_args__ = (
        UniqueConstraint("person_id", "activity_id", "place", "number"),
        Index("ix_clarity_answer_activity", "activity_id", "place"),
        CheckConstraint("place LIKE 'lesson:%' OR place LIKE 'item:%'", name="place_is_known"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person_name.person_id", ondelete="CASCADE"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))  # the module
    module_version_id: Mapped[int] = mapped_column(ForeignKey("module_version.id"))  # that was read
    place: Mapped[str]  # "lesson:key" or "item:key"
    number: Mapped[int]  # counts the person's answers about the place from 1; the last one stands
    clear: Mapped[bool]
    answered_at: Mapped[datetime]


class ClarityWords(Base):
    """What a person wrote with such an answer; beside it, so that the words alone can be erased."""

    __tablename__ = "clarity_words"

    answer_id: Mapped[int] = mapped_column(
        ForeignKey("clarity_answer.id", ondelete="CASCADE"), primary_key=True
    )
    text: Mapped[str]


class ClarityReply(Base):
    """What an author answered to a person's words, without knowing whose they are."""

    __tablename__ = "clarity_reply"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    answer_id: Mapped[int] = mapped_column(ForeignKey("clarity_answer.id", ondelete="CASCADE"), unique=True)
    text: Mapped[str]
    replied_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    replied_at: Mapped[datetime]


OF_ACCOUNT = (ClarityAnswer,)  # the others go with it
