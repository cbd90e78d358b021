"""Tables of people, their names, units, posts and role grants."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.ext.hybrid import hybrid_property
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import OPEN_END, Base, BigId, Fact
from portal.platform.spelling import fold_letters


def fold_name(surname: str, forenames: str, staff_number: str) -> str:
    """The names and staff number as the search compares them; whoever writes one of them writes this."""
    return fold_letters(f"{surname} {forenames} {staff_number}")


def _fold_new_name(context: Any) -> str:
    row = context.get_current_parameters()
    return fold_name(row["surname"], row["forenames"], row["staff_number"])


class Person(Base):
    """Someone in the roster, by an opaque id that facts name; nothing else is known here."""

    __tablename__ = "person"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]  # the transaction's stamp


class PersonName(Base):
    """A person's names and staff number as they are now: an ordinary row, may be corrected or erased."""

    __tablename__ = "person_name"
    __table_args__ = (
        Index("ix_person_name_in_order", "surname", "staff_number", "person_id"),
        Index("ix_person_name_staff_number_lower", text("lower(staff_number)")),
        Index("ix_person_name_email_lower", text("lower(email)")),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    staff_number: Mapped[str] = mapped_column(unique=True)
    surname: Mapped[str]
    forenames: Mapped[str]
    email: Mapped[str | None] = mapped_column(unique=True)  # lower case
    folded: Mapped[str] = mapped_column(default=_fold_new_name)  # names and number, as ``fold_name`` gives

    @hybrid_property
    def full_name(self) -> str:
        """Forenames and surname, as the person is called."""
        return self.forenames + " " + self.surname


class Identifier(Base):
    """A number or name under which another system knows a person; ordinary, unique in its scheme."""

    __tablename__ = "identifier"
    __table_args__ = (
        UniqueConstraint("scheme", "value"),
        Index("ix_identifier_value_lower", "scheme", text("lower(value)")),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    scheme: Mapped[str]
    value: Mapped[str]


class FactNote(Base):
    """Free text that belongs to a fact (a comment, evidence): ordinary, so that it can be erased."""

    __tablename__ = "fact_note"
    __table_args__ = (UniqueConstraint("fact_table", "fact_id", "kind"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    fact_table: Mapped[str]
    fact_id: Mapped[int] = mapped_column(BigId)
    kind: Mapped[str]  # "comment", "evidence"
    text: Mapped[str]


class Unit(Base):
    """An organisational unit: only an id, so that a rename or a move changes no row that refers to it."""

    __tablename__ = "unit"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]


class UnitState(Fact):
    """A unit's name and parent from a day to a day (the last day included)."""

    __tablename__ = "unit_state"
    __table_args__ = (CheckConstraint("valid_from <= valid_to", name="from_before_to"),)

    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    name: Mapped[str]
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), index=True)  # None: the force
    valid_from: Mapped[date]
    valid_to: Mapped[date] = mapped_column(default=OPEN_END)


class Post(Fact):
    """Rank or grade, designated role, unit and line manager a person held, from a day to a day.

    Known posts of one person and ``post_key`` never overlap; posts of different keys may.
    """

    __tablename__ = "post"
    __table_args__ = (
        CheckConstraint("valid_from <= valid_to", name="from_before_to"),
        Index("ix_post_person_id_valid_from", "person_id", "valid_from"),
        Index("ix_post_recorded_at", "recorded_at"),
    )

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    post_key: Mapped[str] = mapped_column(default="")  # "" is the main post
    rank_or_grade: Mapped[str]
    designated_role: Mapped[str]
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), index=True)
    line_manager_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    valid_from: Mapped[date]
    valid_to: Mapped[date] = mapped_column(default=OPEN_END)


class RoleGrant(Base):
    """What a person may do in the portal and on which unit, from a day to a day; ordinary, audited."""

    __tablename__ = "role_grant"
    __table_args__ = (CheckConstraint("valid_from <= valid_to", name="from_before_to"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str]  # a portal.platform.permissions.Role
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date] = mapped_column(default=OPEN_END)
    given_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: a command
    given_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # revoked at this instant, whatever valid_to says
    ended_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
