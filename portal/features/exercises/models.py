"""Tables of exercises: versions, proposals, runs, decision logs, statements of the plenary and actions."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from portal.platform.db import Base, BigId, unique_index
from portal.platform.proposals import ProposalColumns


class Exercise(Base):
    """The lasting identity of an exercise."""

    __tablename__ = "exercise"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    key: Mapped[str] = mapped_column(unique=True)


class ExerciseVersion(Base):
    """An immutable published snapshot of an exercise, rendered and sanitised once."""

    __tablename__ = "exercise_version"
    __table_args__ = (UniqueConstraint("exercise_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    exercise_id: Mapped[int] = mapped_column(ForeignKey("exercise.id"))
    number: Mapped[int]  # counts from 1
    digest: Mapped[str]  # SHA-256 over paths and bytes
    title: Mapped[str]
    summary: Mapped[str]
    owner: Mapped[str]
    review_on: Mapped[date]
    minutes: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(
        JSON
    )  # portal/features/exercises/sources.py says its shape
    published_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: a command
    published_at: Mapped[datetime]


class ExerciseFile(Base):
    """One file of a published exercise's folder, byte for byte."""

    __tablename__ = "exercise_file"
    __table_args__ = (UniqueConstraint("exercise_version_id", "path"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    exercise_version_id: Mapped[int] = mapped_column(ForeignKey("exercise_version.id"))
    path: Mapped[str]  # relative, with /
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[str]


class ExerciseProposal(ProposalColumns, Base):
    """A folder sent for the next version of an exercise; a second person publishes it or sends it back."""

    __tablename__ = "exercise_proposal"
    __table_args__ = (
        CheckConstraint("ended_as IN ('published', 'sent_back', 'withdrawn')", name="end_is_known"),
        unique_index("uq_exercise_proposal_key_open", "key", where="ended_at IS NULL"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    key: Mapped[str]
    archive: Mapped[bytes] = mapped_column(LargeBinary)  # the folder as a ZIP


class ExerciseRun(Base):
    """One running of an exercise version; a rehearsal and all that it holds are removed when it ends."""

    __tablename__ = "exercise_run"
    __table_args__ = (
        CheckConstraint("kind IN ('event', 'table_top', 'rehearsal')", name="kind_is_known"),
        CheckConstraint("syndicates > 0", name="has_syndicates"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    reference: Mapped[str] = mapped_column(unique=True)  # EX-0001, counted; of a rehearsal TRY- and chance
    exercise_version_id: Mapped[int] = mapped_column(ForeignKey("exercise_version.id"))
    event_id: Mapped[int | None] = mapped_column(ForeignKey("event.id"), index=True)
    kind: Mapped[str]
    syndicates: Mapped[int]  # at a table-top exercise 1
    opened_by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class RunStep(Base):
    """What a facilitator did at the control page; append-only. The run's state follows from its steps."""

    __tablename__ = "run_step"
    __table_args__ = (
        UniqueConstraint("run_id", "key"),
        unique_index("uq_run_step_release", "run_id", "inject_key", "syndicate", where="kind = 'release'"),
        CheckConstraint(
            "kind IN ('start', 'hold', 'resume', 'release', 'message', 'plenary', 'back', 'scribe', 'end')",
            name="kind_is_known",
        ),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]  # the transaction's stamp: it orders, and counts the exercise's clock
    run_id: Mapped[int] = mapped_column(ForeignKey("exercise_run.id"), index=True)
    key: Mapped[UUID]  # given by the form: sent twice is once
    kind: Mapped[str]
    inject_key: Mapped[str]  # "" where it concerns none
    syndicate: Mapped[int]  # 0: all
    text: Mapped[str]  # of a message
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # who becomes scribe
    by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))  # None: the clock released an inject


class LogEntry(Base):
    """An entry of a syndicate's decision log; append-only: a correction is an entry that names another."""

    __tablename__ = "log_entry"
    __table_args__ = (
        UniqueConstraint("run_id", "key"),
        CheckConstraint("kind IN ('answer', 'decision', 'correction')", name="kind_is_known"),
        Index("ix_log_entry_run_syndicate", "run_id", "syndicate"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("exercise_run.id"))
    key: Mapped[UUID]  # given by the form: sent twice is once
    syndicate: Mapped[int]
    kind: Mapped[str]
    inject_key: Mapped[str]  # "" for a decision of their own
    question_key: Mapped[str]  # "" for a decision of their own
    answer: Mapped[dict[str, Any]] = mapped_column(
        JSON
    )  # {"text"} | {"choice"} | {"order": [..]}, {"reason"}
    corrects_id: Mapped[int | None] = mapped_column(ForeignKey("log_entry.id"))
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))


class PlenaryStatement(Base):
    """An anonymous statement: no time, person or order; all of a run are written anew with each change.

    The key is random, and the table has no other order on either database.
    """

    __tablename__ = "plenary_statement"
    __table_args__ = {"sqlite_with_rowid": False}

    key: Mapped[UUID] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("exercise_run.id"), index=True)
    prompt_key: Mapped[str]
    text: Mapped[str]
    theme: Mapped[str]  # the facilitator's; "" for none
    hidden: Mapped[bool]  # taken off the wall by the facilitator
    points: Mapped[int]  # of the room's ranking


class PlenaryVoter(Base):
    """A person has ranked the statements of a prompt; how, is not kept."""

    __tablename__ = "plenary_voter"
    __table_args__ = {"sqlite_with_rowid": False}

    run_id: Mapped[int] = mapped_column(ForeignKey("exercise_run.id"), primary_key=True)
    prompt_key: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), primary_key=True)


class RunAction(Base):
    """Something that somebody takes away from an exercise, to be done by a day; append-only."""

    __tablename__ = "run_action"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    recorded_at: Mapped[datetime]
    run_id: Mapped[int] = mapped_column(ForeignKey("exercise_run.id"), index=True)
    key: Mapped[UUID] = mapped_column(unique=True)
    what: Mapped[str]
    owner: Mapped[str]  # a role or a post, in words
    due_on: Mapped[date]
    by_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    withdraws_id: Mapped[int | None] = mapped_column(ForeignKey("run_action.id"))  # it takes that one back
