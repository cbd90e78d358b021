"""The plenary of a run: the stage of each of its prompts, and what the room does there.

The stage follows from the run's steps, as all of its state does: a step ``plenary`` that names a prompt
says in ``text`` what the room may do now.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import exists, select

from portal.domain.exercises.content import ExerciseContent, PlenaryPrompt
from portal.domain.exercises.models import PlenaryVoter
from portal.domain.exercises.running.clock import PastStep, Phase, read_phase
from portal.domain.exercises.running.queries import (
    RunningExercise,
    RunView,
    exercise_in,
    find_run,
    list_steps,
)
from portal.domain.exercises.running.services import StepRequest, add_step, is_step_taken
from portal.domain.exercises.statements import (
    add_statement,
    forget_voters,
    rank_statements,
    shuffle_statements,
)
from portal.domain.people.queries import Viewer
from portal.platform.audit.services import log
from portal.platform.db import db, stamp, take_writers_lock
from portal.platform.errors import ConflictError, ForbiddenError, NotFoundError, RuleError


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
        """Find a prompt.

        Raises:
            NotFoundError: The exercise has no prompt with this key.
        """
        for prompt in self.exercise.content["plenary"]:
            if prompt["key"] == key:
                return prompt
        raise NotFoundError("This exercise has no such question for the plenary.")


def find_plenary(reference: str, viewer: Viewer) -> PlenaryRun:
    """The plenary of the run with this reference.

    Raises:
        NotFoundError: As ``find_run``.
    """
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

    Raises:
        NotFoundError: There is no such run for the viewer, or no such prompt.
        ForbiddenError: The viewer leads no plenary of this run.
        RuleError: The plenary is not on (after the end a prompt is only closed), or the prompt would go back
            to before it was opened, or be ranked twice.
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
        NotFoundError: There is no such run or prompt, or the person has no part in it.
        ConflictError: The room no longer writes statements.
        RuleError: As ``add_statement``.
    """
    run = _find_run_at_stage(reference, viewer, prompt_key, PromptStage.STATEMENTS)
    add_statement(run.id, prompt_key, text)


def choose_statements(reference: str, viewer: Viewer, prompt_key: str, keys: Collection[UUID]) -> None:
    """Rank a prompt's statements, once for each person.

    Raises:
        NotFoundError: As ``write_statement``.
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
