"""The table of dip samples."""

from datetime import date

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Fact

COUNTS = ("reported", "submitted", "on_time", "sampled", "complete", "graded", "returned")


class DipSample(Fact):
    """What a supervisor counted of one unit's intelligence documents in one month; no case is described.

    A correction replaces it. Of a unit and a month one row is known at any instant.
    """

    __tablename__ = "dip_sample"
    __table_args__ = (
        CheckConstraint("submitted BETWEEN 0 AND reported", name="submitted_fits"),
        CheckConstraint("on_time BETWEEN 0 AND submitted", name="on_time_fits"),
        CheckConstraint("sampled BETWEEN 0 AND submitted", name="sampled_fits"),
        CheckConstraint("complete BETWEEN 0 AND sampled", name="complete_fits"),
        CheckConstraint("graded BETWEEN 0 AND sampled", name="graded_fits"),
        CheckConstraint("returned BETWEEN 0 AND sampled", name="returned_fits"),
        Index("ix_dip_sample_unit_id_month", "unit_id", "month"),
    )

    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"))
    month: Mapped[date]  # its first day
    guide_version_id: Mapped[int | None] = mapped_column(ForeignKey("guide_version.id"))  # the checklist
    reported: Mapped[int]  # cases that the unit reported to the National Command and Control Unit
    submitted: Mapped[int]  # documents submitted for them
    on_time: Mapped[int]  # of these, within the time that the force sets
    sampled: Mapped[int]  # of those submitted, how many the supervisor read
    complete: Mapped[int]  # of those read
    graded: Mapped[int]  # of those read
    returned: Mapped[int]  # of those read: sent back to be corrected
    reason: Mapped[str]  # a category: why documents were missing, or why it was corrected; "" for none
    recorded_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
