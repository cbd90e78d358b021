"""Tables of spaced recall. Nothing but this room, its pages and its mail reads them.

Both belong to the person's name, not to the person: erasing the name erases them in the same statement.
"""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId


class RecallReview(Base):
    """One recall question that a person answered, right or wrong; never changed, but it may be erased.

    It takes no stamp, so that answering is seen in no report, not even in the instant it is known on.
    """

    __tablename__ = "recall_review"
    __table_args__ = (
        UniqueConstraint("person_id", "activity_id", "number", "item_key"),
        Index("ix_recall_review_activity", "activity_id", "module_version_id", "item_key"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person_name.person_id", ondelete="CASCADE"))
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))  # the module
    number: Mapped[int]  # counts the person's recalls of the module from 1
    module_version_id: Mapped[int] = mapped_column(ForeignKey("module_version.id"))
    item_key: Mapped[str]  # in that version
    correct: Mapped[bool]
    answered_at: Mapped[datetime]  # the same of all questions of a recall


class RecallOptOut(Base):
    """Somebody who turned recall off: they get no card and no mail; turning it on again deletes the row."""

    __tablename__ = "recall_opt_out"

    person_id: Mapped[int] = mapped_column(
        ForeignKey("person_name.person_id", ondelete="CASCADE"), primary_key=True
    )
    chosen_at: Mapped[datetime]


OF_ACCOUNT = (RecallReview, RecallOptOut)
