"""The plenary of a run: the stage of each of its prompts, and what the room does there.

The stage follows from the run's steps, as all of its state does: a step ``plenary`` that names a prompt
says in ``text`` what the room may do now.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import SystemRandom
from typing import Any, cast
from uuid import UUID, uuid4

from sqlalchemy import Table, delete, exists, insert, select

from portal.domain.people.visibility import Viewer
from portal.features.exercises.models import PlenaryStatement, PlenaryVoter
from portal.features.exercises.run_queries import (
    PastStep,
    Phase,
    RunningExercise,
    RunView,
    exercise_in,
    find_run,
    list_steps,
    read_phase,
)
from portal.features.exercises.runs import StepRequest, add_step, is_step_taken
from portal.features.exercises.sources import ExerciseContent, PlenaryPrompt
from portal.platform.audit import log
from portal.platform.db import db, stamp, take_writers_lock
from portal.platform.errors import ConflictError, ForbiddenError, NotFoundError, RuleError

# Anonymous statements of the plenary: written, grouped and ranked so that nobody can tell by whom or
# when.
#
# Nothing here takes a stamp or writes an audit event for what the room does: either would keep the time.
# The writers' lock alone orders them. Every change takes all rows of the run out and puts them in again
# in a random order, in one transaction: on PostgreSQL all get the same transaction and a random place, on
# SQLite their places in the page say nothing, and what was deleted is overwritten.

LONGEST = 300  # characters
MOST = 400  # of a prompt: more than a room can read
LONGEST_THEME = 60
CHOICES = 3  # statements that one person may choose
COUNT_STEP = 5  # while they are written, their number is shown in such steps

_random = SystemRandom()
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement as the room reads it."""

    key: UUID
    text: str
    theme: str
    hidden: bool
    points: int


def list_statements(run_id: int, prompt_key: str) -> list[Statement]:
    """The statements of a prompt: by theme, those with most points first, then by their words."""
    rows = db.session.execute(
        select(
            PlenaryStatement.key,
            PlenaryStatement.text,
            PlenaryStatement.theme,
            PlenaryStatement.hidden,
            PlenaryStatement.points,
        ).where(PlenaryStatement.run_id == run_id, PlenaryStatement.prompt_key == prompt_key)
    )
    statements = [Statement(*row) for row in rows]
    return sorted(statements, key=lambda row: (not row.theme, row.theme.casefold(), -row.points, row.text))


def count_in_fives(run_id: int, prompt_key: str) -> int:
    """Count the statements of a prompt, rounded down to fives, so that nobody sees when one is added."""
    return len(list_statements(run_id, prompt_key)) // COUNT_STEP * COUNT_STEP


def add_statement(run_id: int, prompt_key: str, text: str) -> None:
    """Add a statement; the same words again are the same statement, so sent twice is once."""
    clean_text = " ".join(text.split())
    if not clean_text:
        raise RuleError("Write a statement.")
    if len(clean_text) > LONGEST:
        raise RuleError(f"This has {len(clean_text):,} characters. Shorten it to {LONGEST} or fewer.")
    rows, voters = _remove_rows(run_id)
    of_prompt = [row for row in rows if row["prompt_key"] == prompt_key]
    if len(of_prompt) >= MOST:
        raise RuleError("This question has enough statements for the room to read. Talk about them now.")
    if all(row["text"].casefold() != clean_text.casefold() for row in of_prompt):
        rows.append(
            {
                "key": uuid4(),
                "run_id": run_id,
                "prompt_key": prompt_key,
                "text": clean_text,
                "theme": "",
                "hidden": False,
                "points": 0,
            }
        )
    _insert_rows(rows, voters)


def rank_statements(run_id: int, prompt_key: str, keys: Collection[UUID], person_id: int) -> None:
    """Give a point to each statement that a person chose; who has ranked already, changes nothing."""
    chosen_keys = set(keys)
    if not 1 <= len(chosen_keys) <= CHOICES:
        raise RuleError(f"Choose one, two or three statements. You chose {len(chosen_keys)}.")
    rows, voters = _remove_rows(run_id)
    mark = {"run_id": run_id, "prompt_key": prompt_key, "person_id": person_id}
    shown_keys = {row["key"] for row in rows if row["prompt_key"] == prompt_key and not row["hidden"]}
    if not chosen_keys <= shown_keys:
        raise ConflictError("One of these statements is no longer shown. Choose again.")
    if mark not in voters:
        voters.append(mark)
        for row in rows:
            row["points"] += row["key"] in chosen_keys
    _insert_rows(rows, voters)


def group_statements(run: RunView, prompt_key: str, keys: Collection[UUID], theme: str) -> None:
    """Put statements into a group; an empty theme takes them out of any.

    Args:
        run: As whoever leads it meets it.
        prompt_key: The prompt.
        keys: The statements; keys that the prompt does not have are passed over.
        theme: The group's name.

    Raises:
        ForbiddenError: The person does not lead the run.
    """
    _change_statements(run, prompt_key, keys, theme=" ".join(theme.split())[:LONGEST_THEME])
    if not run.is_rehearsal:
        log("plenary.grouped", actor_id=run.person_id, run=run.reference, prompt=prompt_key)


def hide_statements(run: RunView, prompt_key: str, keys: Collection[UUID], *, hidden: bool) -> None:
    """Take statements off the wall and out of files, or put them back; as ``group_statements``."""
    _change_statements(run, prompt_key, keys, hidden=hidden)
    if run.is_rehearsal:
        return
    if hidden:
        log("plenary.hidden", actor_id=run.person_id, run=run.reference, prompt=prompt_key)
    else:
        log("plenary.shown", actor_id=run.person_id, run=run.reference, prompt=prompt_key)


def forget_voters(run_id: int, prompt_key: str) -> None:
    """Forget who ranked the statements of a prompt."""
    _overwrite_deleted()
    db.session.execute(
        delete(PlenaryVoter).where(PlenaryVoter.run_id == run_id, PlenaryVoter.prompt_key == prompt_key)
    )


def shuffle_statements(run_id: int) -> None:
    """Write all statements of a run, and who ranked them, again in a random order."""
    _insert_rows(*_remove_rows(run_id))


def _change_statements(run: RunView, prompt_key: str, keys: Collection[UUID], **values: Any) -> None:
    if not run.may_control:
        raise ForbiddenError("Only the person who leads the exercise groups its statements.")
    stamp()
    rows, voters = _remove_rows(run.id)
    for row in rows:
        if row["prompt_key"] == prompt_key and row["key"] in keys:
            row.update(values)
    _insert_rows(rows, voters)


def _remove_rows(run_id: int) -> tuple[Rows, Rows]:
    """Delete and return the statements of a run and the marks of who ranked, for ``_insert_rows``."""
    take_writers_lock()
    _overwrite_deleted()
    removed: list[Rows] = []
    for table in (PlenaryStatement, PlenaryVoter):
        columns = table.__table__.columns
        removed.append(
            [
                dict(row)
                for row in db.session.execute(select(*columns).where(table.run_id == run_id)).mappings()
            ]
        )
        db.session.execute(delete(table).where(table.run_id == run_id))
    return removed[0], removed[1]


def _insert_rows(*tables: Rows) -> None:
    for table, rows in zip((PlenaryStatement, PlenaryVoter), tables, strict=True):
        _random.shuffle(rows)
        if rows:
            db.session.execute(insert(cast(Table, table.__table__)), rows)


def _overwrite_deleted() -> None:
    """Have SQLite overwrite what is deleted: its pages keep it otherwise."""
    if db.engine.dialect.name == "sqlite":
        db.session.connection().exec_driver_sql("PRAGMA secure_delete = ON")


class PromptStage(StrEnum):
    """What the room may do at a prompt."""

    NOT_YET = "not_yet"
    STATEMENTS = "statements"  # write them; nobody reads any, or sees how many there are
    READING = "reading"  # read and group them
    RANKING = "ranking"  # choose those that matter most; nobody sees the points
    CLOSED = "closed"  # read them with their points


STAGE_WORDS = {
    PromptStage.NOT_YET: "Not opened yet",
    PromptStage.STATEMENTS: "The room writes statements",
    PromptStage.READING: "The room reads the statements",
    PromptStage.RANKING: "The room ranks the statements",
    PromptStage.CLOSED: "Ranked",
}


@dataclass(frozen=True, slots=True)
class PlenaryRun:
    """The plenary of a run as one person sees it; whoever controls the run leads it."""

    run: RunView
    exercise: RunningExercise
    steps: tuple[PastStep, ...]
    stages: dict[str, PromptStage]  # by the keys of all prompts

    @property
    def has_ended(self) -> bool:
        """Whether the run has ended."""
        return read_phase(self.steps) is Phase.ENDED

    @property
    def open_stages(self) -> tuple[PromptStage, ...]:
        """The stages to which a prompt may be moved now: after the end, only closed."""
        stages = {Phase.PLENARY: tuple(STAGE_WORDS)[1:], Phase.ENDED: (PromptStage.CLOSED,)}
        return stages.get(read_phase(self.steps), ())

    @property
    def may_compare(self) -> bool:
        """Whether the person may compare decisions: the leader always, everybody from the plenary on."""
        return self.run.may_control or read_phase(self.steps) in (Phase.PLENARY, Phase.ENDED)

    @property
    def may_debrief(self) -> bool:
        """Whether the person may download the debrief: the leader always, everybody after the end."""
        return self.run.may_control or self.has_ended

    def find_prompt(self, key: str) -> PlenaryPrompt:
        """Find a prompt."""
        for prompt in self.exercise.content["plenary"]:
            if prompt["key"] == key:
                return prompt
        raise NotFoundError("This exercise has no such question for the plenary.")


def find_plenary(reference: str, viewer: Viewer) -> PlenaryRun:
    """The plenary of the run with this reference."""
    run = find_run(reference, viewer)
    exercise, steps = exercise_in(run), list_steps(run)
    stages = dict.fromkeys((prompt["key"] for prompt in exercise.content["plenary"]), PromptStage.NOT_YET)
    return PlenaryRun(run, exercise, steps, stages | dict(list_moves(exercise.content, steps)))


def list_moves(content: ExerciseContent, steps: Sequence[PastStep]) -> Iterator[tuple[str, PromptStage]]:
    """The prompts that were moved to a stage, with the stage, from the steps of a run in order."""
    prompt_keys = {prompt["key"] for prompt in content["plenary"]}
    for step in steps:
        if step.kind == "plenary" and step.inject_key in prompt_keys:
            yield step.inject_key, PromptStage(step.text)


def move_to_stage(
    reference: str, viewer: Viewer, prompt_key: str, stage: PromptStage, *, form_key: UUID
) -> None:
    """Move a prompt to another stage; sent twice, it moves once.

    All statements of the run are written anew, so that this act is the last that touched any of them. When
    the ranking ends, who ranked is forgotten.
    """
    stamp()
    plenary = find_plenary(reference, viewer)
    run = plenary.run
    if not run.may_control:
        raise ForbiddenError("Only the person who leads the exercise opens and closes its questions.")
    plenary.find_prompt(prompt_key)
    if stage is PromptStage.NOT_YET:
        raise RuleError("An open question can only stay open or be closed.")
    if is_step_taken(run.id, form_key):
        return
    if stage not in plenary.open_stages:
        raise RuleError(
            "The exercise has ended: its questions can only be closed."
            if plenary.has_ended
            else "Begin the plenary first, where you control the exercise."
        )
    moves = list_moves(plenary.exercise.content, plenary.steps)
    if stage is PromptStage.RANKING and (prompt_key, stage) in moves:
        raise RuleError("The room has ranked these statements already.")
    add_step(run, form_key, StepRequest("plenary", prompt_key, text=stage.value), by_id=run.person_id)
    if stage is not PromptStage.RANKING:
        forget_voters(run.id, prompt_key)
    shuffle_statements(run.id)
    if not run.is_rehearsal:
        log("plenary.moved", actor_id=run.person_id, run=run.reference, prompt=prompt_key, stage=stage.value)


def has_ranked(run_id: int, prompt_key: str, person_id: int) -> bool:
    """Whether a person has ranked the statements of a prompt whose ranking is open."""
    choice_exists = exists().where(
        PlenaryVoter.run_id == run_id,
        PlenaryVoter.prompt_key == prompt_key,
        PlenaryVoter.person_id == person_id,
    )
    return bool(db.session.scalar(select(choice_exists)))


def write_statement(reference: str, viewer: Viewer, prompt_key: str, text: str) -> None:
    """Write an anonymous statement, as somebody who takes part or leads.

    Raises:
        ConflictError: The room no longer writes statements.
        RuleError: As ``add_statement``.
    """
    run = _find_run_at_stage(reference, viewer, prompt_key, PromptStage.STATEMENTS)
    add_statement(run.id, prompt_key, text)


def choose_statements(reference: str, viewer: Viewer, prompt_key: str, keys: Collection[UUID]) -> None:
    """Rank a prompt's statements, once for each person.

    Raises:
        ConflictError: The room does not rank, or a statement is no longer shown.
        RuleError: As ``rank_statements``.
    """
    run = _find_run_at_stage(reference, viewer, prompt_key, PromptStage.RANKING)
    rank_statements(run.id, prompt_key, keys, viewer.person_id)


def _find_run_at_stage(reference: str, viewer: Viewer, prompt_key: str, stage: PromptStage) -> RunView:
    """The run, read under the writers' lock, so that its stage cannot move before the commit."""
    take_writers_lock()
    plenary = find_plenary(reference, viewer)
    plenary.find_prompt(prompt_key)
    if plenary.stages[prompt_key] is not stage:
        verb = "write" if stage is PromptStage.STATEMENTS else "rank"
        raise ConflictError(f"The room does not {verb} statements on this question now.")
    return plenary.run
