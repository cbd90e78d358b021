"""Tables of returns: a force's own, and at the coordinating unit those of all forces."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId, Fact


class OwnReturn(Fact):
    """A return that this force made; a later one of the same month on the same directive replaces it."""

    __tablename__ = "own_return"
    __table_args__ = (UniqueConstraint("period", "number"),)

    period: Mapped[str]  # a month, such as 2026-04
    number: Mapped[int]  # counts all of the month from 1; its file has the number on its directive
    content: Mapped[bytes] = mapped_column(LargeBinary)  # the file, byte for byte, with its signature
    digest: Mapped[str]  # SHA-256 of content
    made_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: the command line


class Comparison(Fact):
    """A coordinating unit's anonymous figures of a period, as this force received them."""

    __tablename__ = "comparison"

    period: Mapped[str] = mapped_column(index=True)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[str] = mapped_column(unique=True)
    received_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class CoordinatedForce(Base):
    """The lasting identity of a force at the coordinating unit; append-only."""

    __tablename__ = "coordinated_force"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    key: Mapped[str] = mapped_column(unique=True)  # such as westshire


class ForceDetails(Fact):
    """What a force is called and how large it is, from a day on; the latest day counts."""

    __tablename__ = "force_details"
    __table_args__ = (CheckConstraint("headcount > 0", name="has_people"),)

    force_id: Mapped[int] = mapped_column(ForeignKey("coordinated_force.id"), index=True)
    from_on: Mapped[date]
    name: Mapped[str]
    headcount: Mapped[int]  # of its workforce, as published
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ForceKey(Fact):
    """A public key with which a force signs its returns; a void row ends it."""

    __tablename__ = "force_key"

    force_id: Mapped[int] = mapped_column(ForeignKey("coordinated_force.id"), index=True)
    from_on: Mapped[date]
    public_key: Mapped[str]  # base64 of 32 bytes, Ed25519
    fingerprint: Mapped[str]  # SHA-256 of the 32 bytes
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ReturnPeriod(Fact):
    """A month for which the coordinating unit asks every force for a return."""

    __tablename__ = "return_period"

    period: Mapped[str] = mapped_column(index=True)
    due_on: Mapped[date]  # the last London day on which a return is on time
    recorded_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ForceReturn(Fact):
    """A force's return that the coordinating unit received; a correction replaces it."""

    __tablename__ = "force_return"
    __table_args__ = (UniqueConstraint("force_id", "period", "number"),)

    force_id: Mapped[int] = mapped_column(ForeignKey("coordinated_force.id"))
    period: Mapped[str] = mapped_column(index=True)
    number: Mapped[int]  # the force's own count, from 1
    received_on: Mapped[date]  # London day
    content: Mapped[bytes] = mapped_column(LargeBinary)  # byte for byte
    digest: Mapped[str] = mapped_column(unique=True)
    key_id: Mapped[int] = mapped_column(ForeignKey("force_key.id"))  # that verified its signature
    received_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ReturnFigure(Base):
    """One count of a return, so that pages need not read files; append-only."""

    __tablename__ = "return_figure"
    __table_args__ = (
        Index("ix_return_figure_force_return_id", "force_return_id", "grouping", "requirement"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    force_return_id: Mapped[int] = mapped_column(ForeignKey("force_return.id"))
    requirement: Mapped[str]  # kind and key, such as module:respond; "" for the whole directive
    grouping: Mapped[str]  # "force", "role" or "rank"
    group_name: Mapped[str]  # "" for the force
    assigned: Mapped[int | None]  # None: a small number that the force hid
    excluded: Mapped[int | None]
    complete: Mapped[int | None]
