"""Activities (modules, event types, guides) and their immutable published versions."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, LargeBinary, Numeric, UniqueConstraint, false
from sqlalchemy.orm import Mapped, mapped_column, relationship

from portal.platform.db import Base, BigId, Fact


class Activity(Base):
    """The lasting identity of a module, event type or guide."""

    __tablename__ = "activity"
    __table_args__ = (UniqueConstraint("kind", "key"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    kind: Mapped[str]  # "module", "event" or "guide"
    key: Mapped[str]


class SharedVersion(Base):
    """An immutable version of one shared file (``_sources.toml``, ``_force.toml``, ``_glossary.toml``)."""

    __tablename__ = "shared_version"
    __table_args__ = (UniqueConstraint("name", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    name: Mapped[str]  # the file's name
    number: Mapped[int]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ModuleVersion(Base):
    """An immutable published snapshot of a module; ``PackageFile`` has the bytes of its files."""

    __tablename__ = "module_version"
    __table_args__ = (
        UniqueConstraint("activity_id", "number"),
        CheckConstraint("mastery_score BETWEEN 0 AND 1", name="mastery_score_is_scaled"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))
    number: Mapped[int]  # counts from 1
    digest: Mapped[str]  # SHA-256 over paths and bytes
    title: Mapped[str]
    aim: Mapped[str]
    owner: Mapped[str]
    review_on: Mapped[date]
    minutes: Mapped[int]
    mastery_score: Mapped[Decimal] = mapped_column(Numeric(5, 4))
    outcomes: Mapped[list[dict[str, str]]] = mapped_column(JSON)  # [{"key", "text"}] in order
    draw: Mapped[int]  # items an attempt
    at_least_per_outcome: Mapped[int]
    attempts: Mapped[int]  # 0: no limit
    wait_minutes: Mapped[int]  # after a fail
    pause_after: Mapped[int] = mapped_column(server_default="0")  # fails, each so many; 0: no pause
    pause_hours: Mapped[int] = mapped_column(server_default="0")
    test_out: Mapped[bool]
    pre_test: Mapped[bool] = mapped_column(server_default=false())
    practice: Mapped[list[str]] = mapped_column(JSON, server_default="[]")  # keys of lessons on no path
    duty_paths: Mapped[list[dict[str, list[str]]]] = mapped_column(JSON, server_default="[]")
    # [{"for": duties, "lessons": keys}] in order; the last one, for no duties, is everybody else's
    job_aid_title: Mapped[str | None]
    job_aid_html: Mapped[str | None]
    briefing_title: Mapped[str | None]
    briefing_html: Mapped[str | None]
    sources_version_id: Mapped[int | None] = mapped_column(ForeignKey("shared_version.id"))
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: a command
    published_at: Mapped[datetime]

    activity: Mapped[Activity] = relationship()
    lessons: Mapped[list["Lesson"]] = relationship(order_by="Lesson.position", viewonly=True)
    items: Mapped[list["Item"]] = relationship(order_by="Item.position", viewonly=True)


class PackageFile(Base):
    """One file of a published folder, byte for byte."""

    __tablename__ = "package_file"
    __table_args__ = (UniqueConstraint("module_version_id", "path"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module_version_id: Mapped[int] = mapped_column(ForeignKey("module_version.id"))
    path: Mapped[str]  # relative, with /
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]  # of the content; part of the address of media files


class Lesson(Base):
    """The smallest tracked piece of a module version, rendered and sanitised once, at publishing."""

    __tablename__ = "lesson"
    __table_args__ = (
        UniqueConstraint("module_version_id", "key"),
        UniqueConstraint("module_version_id", "position"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module_version_id: Mapped[int] = mapped_column(ForeignKey("module_version.id"))
    position: Mapped[int]  # counts from 1
    key: Mapped[str]
    title: Mapped[str]
    minutes: Mapped[int]
    outcomes: Mapped[list[str]] = mapped_column(JSON)
    html: Mapped[str]  # safe; slots {{force:key}} and {{term:key}} are filled, escaped, when shown
    words: Mapped[int]
    case_kind: Mapped[str | None]  # the kind of case that the lesson is, whose opening html is; None: a text
    case_content: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    # {"prompt_html", "explanation_html", "content": the result of the kind's render_content}


class Item(Base):
    """One scored item of a module version."""

    __tablename__ = "item"
    __table_args__ = (
        UniqueConstraint("module_version_id", "key"),
        UniqueConstraint("module_version_id", "position"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    module_version_id: Mapped[int] = mapped_column(ForeignKey("module_version.id"))
    position: Mapped[int]
    key: Mapped[str]
    outcome: Mapped[str]
    kind: Mapped[str]
    prompt_html: Mapped[str]  # safe inline HTML
    stimulus_html: Mapped[str | None]
    explanation_html: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    # the result of the kind's render_content: {"choices": [{"key", "html", "feedback_html", "correct"}]} …
    source: Mapped[list[str]] = mapped_column(JSON)
    retired: Mapped[bool] = mapped_column(default=False)
    duties: Mapped[list[str]] = mapped_column(
        JSON, server_default="[]"
    )  # it is drawn more often for; [] for all


class GuideVersion(Base):
    """An immutable published snapshot of a guide, rendered and sanitised once."""

    __tablename__ = "guide_version"
    __table_args__ = (UniqueConstraint("activity_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))
    number: Mapped[int]  # counts from 1
    digest: Mapped[str]  # SHA-256 over paths and bytes
    title: Mapped[str]
    summary: Mapped[str]
    owner: Mapped[str]
    review_on: Mapped[date]
    acknowledge: Mapped[bool]  # whether readers have to confirm that they have read it
    html: Mapped[str]  # safe, with slots as in Lesson
    words: Mapped[int]
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: a command
    published_at: Mapped[datetime]

    activity: Mapped[Activity] = relationship()


class GuideFile(Base):
    """The Markdown file of a guide version, or a media file that it shows, byte for byte."""

    __tablename__ = "guide_file"
    __table_args__ = (UniqueConstraint("guide_version_id", "path"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    guide_version_id: Mapped[int] = mapped_column(ForeignKey("guide_version.id"))
    path: Mapped[str]  # within the folder of guides, with /
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]


class EventTypeVersion(Base):
    """An immutable published version of an event type: what an event of it is, and how many it takes."""

    __tablename__ = "event_type_version"
    __table_args__ = (
        UniqueConstraint("activity_id", "number"),
        CheckConstraint("syndicate_least BETWEEN 1 AND syndicate_most", name="syndicate_size_in_order"),
        CheckConstraint("places_least BETWEEN 1 AND places_most", name="places_in_order"),
        CheckConstraint("minutes > 0", name="has_length"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"))
    number: Mapped[int]  # counts from 1
    digest: Mapped[str]  # SHA-256 of the file's bytes
    content: Mapped[bytes] = mapped_column(LargeBinary)  # the file, byte for byte
    title: Mapped[str]
    aim: Mapped[str]
    audience: Mapped[str]  # who it is for, in words; a directive says who must attend
    owner: Mapped[str]
    review_on: Mapped[date]
    minutes: Mapped[int]  # from beginning to end
    syndicate_least: Mapped[int]  # people in one syndicate
    syndicate_most: Mapped[int]
    places_least: Mapped[int]  # people, for an event to take place
    places_most: Mapped[int]
    facilitators: Mapped[int]  # needed at each event
    approval: Mapped[bool]  # a learner's own booking waits for a manager's approval
    preparation: Mapped[list[str]] = mapped_column(JSON)  # "module:key" or "guide:key", in order
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: a command
    published_at: Mapped[datetime]

    activity: Mapped[Activity] = relationship()


class ModuleArchiving(Fact):
    """A module is offered no longer; what was earned in it stays. A row that voids it offers it again."""

    __tablename__ = "module_archiving"

    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"), index=True)
    successor_id: Mapped[int | None] = mapped_column(ForeignKey("activity.id"))  # the module that replaces it
    archived_on: Mapped[date]  # London day of the decision
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class LinkCheck(Base):
    """How a page of the web, to which a published text leads, answered last; replaced at the next check."""

    __tablename__ = "link_check"

    address: Mapped[str] = mapped_column(primary_key=True)
    checked_at: Mapped[datetime]
    fault: Mapped[str | None]  # in a few words; None: the page is there


class MinimumVersion(Fact):
    """From a day on, a pass of a module counts only if it is of this version or a later one."""

    __tablename__ = "minimum_version"
    __table_args__ = (CheckConstraint("from_on > announced_on", name="leaves_notice"),)

    activity_id: Mapped[int] = mapped_column(ForeignKey("activity.id"), index=True)
    module_version_id: Mapped[int] = mapped_column(ForeignKey("module_version.id"))
    announced_on: Mapped[date]  # London day of the decision; statuses of earlier days stay as they are
    from_on: Mapped[date]  # the first day on which older passes do not count
    decided_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
