"""Tables of provisioning: who is managed by the force's provider, and its groups."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base


class ScimUser(Base):
    """A person whom the force's provider manages, and the post they get when it makes them active."""

    __tablename__ = "scim_user"

    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    # When the provider sent this person's staff number itself; None: it only changed somebody it found here.
    confirmed_at: Mapped[datetime | None]
    removed_at: Mapped[datetime | None]  # the provider deleted the user; the person's facts stay
    # What the provider says while the person has no post; None: see their last post.
    rank_or_grade: Mapped[str | None]
    designated_role: Mapped[str | None]
    unit_path: Mapped[str | None]
    line_manager_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))


class ScimGroup(Base):
    """A group of the force's provider, and the role that an administrator gave it."""

    __tablename__ = "scim_group"
    __table_args__ = (
        CheckConstraint("role IS NOT NULL OR unit_id IS NULL", name="unit_needs_role"),
        CheckConstraint("(role IS NULL) = (mapped_by_id IS NULL)", name="role_needs_giver"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    display_name: Mapped[str] = mapped_column(unique=True)
    external_id: Mapped[str | None] = mapped_column(unique=True)
    version: Mapped[int]  # counts its changes, for the ETag
    created_at: Mapped[datetime]
    role: Mapped[str | None]  # a portal.platform.permissions.Role; None: it gives none
    unit_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"))  # None: no unit
    mapped_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    mapped_at: Mapped[datetime | None]


class ScimMember(Base):
    """A member of a provider's group, and the role grant that the group gave them."""

    __tablename__ = "scim_member"
    __table_args__ = (Index("ix_scim_member_person_id", "person_id"),)

    group_id: Mapped[UUID] = mapped_column(ForeignKey("scim_group.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)
    # None: the group gives no role, or the person had it already.
    grant_id: Mapped[int | None] = mapped_column(ForeignKey("role_grant.id"))
