"""The plenary of a run: who takes part and who leads, and at which stage each of its prompts is.

The stage follows from the run's steps, as all of its state does: a step ``plenary`` that names a prompt
says in ``text`` what the room may do now.
"""

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum
from typing import cast
from uuid import UUID

from sqlalchemy import exists, or_, select

from portal.domain.events.models import Booking, Event, RegisterEntry
from portal.domain.exercises.content import ExerciseContent, PlenaryPrompt
from portal.domain.exercises.models import ExerciseRun, ExerciseVersion, PlenaryVoter, RunStep
from portal.domain.exercises.statements import add_statement, forget_voters, mix_run, rank_statements
from portal.domain.people.visibility.rules import Viewer
from portal.platform.audit.services import log
from portal.platform.db import db, stamp, take_writers_lock
from portal.platform.errors import ConflictError, ForbiddenError, NotFoundError, RuleError
from portal.platform.permissions import Permission

NO_RUN = "There is no such exercise."


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
    """A run with its content, as one person meets it."""

    id: int
    reference: str
    kind: str
    title: str
    syndicates: int
    event_reference: str  # "" where it is at no event
    content: ExerciseContent
    stages: dict[str, PromptStage]  # by the keys of all prompts
    on: bool  # the plenary is on, was opened at a prompt, or the run has ended
    ended: bool
    leads: bool  # this person leads the plenary
    takes_part: bool

    def prompt(self, key: str) -> PlenaryPrompt:
        """One of its prompts.

        Raises:
            NotFoundError: It has none with this key.
        """
        for prompt in self.content["plenary"]:
            if prompt["key"] == key:
                return prompt
        raise NotFoundError("This exercise has no such question for the plenary.")


def find_plenary(reference: str, viewer: Viewer) -> PlenaryRun:
    """The run with this reference, for somebody who takes part in it or leads its plenary.

    Raises:
        NotFoundError: There is none, or the person has no part in it.
    """
    row = db.session.execute(
        select(ExerciseRun, ExerciseVersion.title, ExerciseVersion.content, Event.reference)
        .join(ExerciseVersion, ExerciseVersion.id == ExerciseRun.exercise_version_id)
        .outerjoin(Event, Event.id == ExerciseRun.event_id)
        .where(ExerciseRun.reference == reference)
    ).one_or_none()
    if row is None:
        raise NotFoundError(NO_RUN)
    run, title, content, event_reference = row
    opened_it = run.opened_by_id == viewer.person_id
    leads = Permission.EXERCISE_RUN in viewer.permissions or (opened_it and run.kind != "event")
    takes_part = opened_it or _has_place(run, viewer.person_id)
    if not leads and not takes_part:
        raise NotFoundError(NO_RUN)
    content = cast(ExerciseContent, content)
    stages, on, ended = _read_stages(run.id, content)
    return PlenaryRun(
        run.id,
        run.reference,
        run.kind,
        title,
        run.syndicates,
        event_reference or "",
        content,
        stages,
        on=on,
        ended=ended,
        leads=leads,
        takes_part=takes_part,
    )


def _read_stages(run_id: int, content: ExerciseContent) -> tuple[dict[str, PromptStage], bool, bool]:
    """The stage of each prompt, whether the plenary is on, and whether the run has ended."""
    steps = db.session.execute(
        select(RunStep.kind, RunStep.inject_key, RunStep.text)
        .where(RunStep.run_id == run_id, RunStep.kind.in_(("plenary", "back", "end")))
        .order_by(RunStep.recorded_at, RunStep.id)
    ).all()
    opened = {key: PromptStage(words) for kind, key, words in steps if kind == "plenary" and key}
    stages = {one["key"]: opened.get(one["key"], PromptStage.NOT_YET) for one in content["plenary"]}
    kinds = [kind for kind, _, _ in steps]
    is_on = [kind for kind in kinds if kind != "end"][-1:] == ["plenary"]
    return stages, is_on or "end" in kinds, "end" in kinds


def _has_place(run: ExerciseRun, person_id: int) -> bool:
    """Whether a person is booked at the run's event, or was in the room by its register."""
    if run.event_id is None:
        return False
    booked = exists().where(
        Booking.event_id == run.event_id, Booking.person_id == person_id, Booking.state == "booked"
    )
    seen = exists().where(
        RegisterEntry.event_id == run.event_id,
        RegisterEntry.person_id == person_id,
        RegisterEntry.kind.in_(("present", "late")),
    )
    return bool(db.session.scalar(select(or_(booked, seen))))


def move_to_stage(run: PlenaryRun, prompt_key: str, stage: PromptStage, *, by: int, form_key: UUID) -> None:
    """Let the room do something else at a prompt; sent twice is once.

    All statements of the run are written anew, so that this act is the last that touched any of them. When
    the ranking ends, who ranked is forgotten.

    Raises:
        ForbiddenError: The person leads no plenary of this run.
        RuleError: A prompt does not go back to before it was opened, and is ranked once.
    """
    if not run.leads:
        raise ForbiddenError("Only who leads the exercise opens and closes the plenary’s questions.")
    prompt = run.prompt(prompt_key)
    if stage is PromptStage.NOT_YET:
        raise RuleError("A question that was opened stays open or is closed.")
    recorded_at = stamp()
    known = select(RunStep.id).where(RunStep.run_id == run.id, RunStep.key == form_key)
    if db.session.scalar(known) is not None:
        return
    if stage is PromptStage.RANKING and _was_ranked(run.id, prompt["key"]):
        raise RuleError("These statements were ranked already. A second ranking would add to the first.")
    db.session.add(
        RunStep(
            recorded_at=recorded_at,
            run_id=run.id,
            key=form_key,
            kind="plenary",
            inject_key=prompt["key"],
            syndicate=0,
            text=stage.value,
            by_id=by,
        )
    )
    if stage is not PromptStage.RANKING:
        forget_voters(run.id, prompt["key"])
    mix_run(run.id)
    if run.kind != "rehearsal":
        log("plenary.moved", actor_id=by, run=run.reference, prompt=prompt["key"], stage=stage.value)


def _was_ranked(run_id: int, prompt_key: str) -> bool:
    ranked = (
        RunStep.kind == "plenary",
        RunStep.inject_key == prompt_key,
        RunStep.text == PromptStage.RANKING,
    )
    return db.session.scalar(select(RunStep.id).where(RunStep.run_id == run_id, *ranked).limit(1)) is not None


def has_ranked(run_id: int, prompt_key: str, person_id: int) -> bool:
    """Whether a person has ranked the statements of a prompt whose ranking is open."""
    found = exists().where(
        PlenaryVoter.run_id == run_id,
        PlenaryVoter.prompt_key == prompt_key,
        PlenaryVoter.person_id == person_id,
    )
    return bool(db.session.scalar(select(found)))


def write_statement(reference: str, viewer: Viewer, prompt_key: str, text: str) -> None:
    """Write an anonymous statement, as somebody who takes part or leads.

    Raises:
        NotFoundError: There is no such run or prompt, or the person has no part in it.
        ConflictError: The room no longer writes statements.
        RuleError: As ``add_statement``.
    """
    run = _enter_run(reference, viewer, prompt_key, PromptStage.STATEMENTS)
    add_statement(run.id, prompt_key, text)


def choose_statements(reference: str, viewer: Viewer, prompt_key: str, keys: Collection[UUID]) -> None:
    """Rank a prompt's statements, once for each person.

    Raises:
        NotFoundError: As ``write_statement``.
        ConflictError: The room does not rank, or a statement is no longer shown.
        RuleError: As ``rank_statements``.
    """
    run = _enter_run(reference, viewer, prompt_key, PromptStage.RANKING)
    rank_statements(run.id, prompt_key, keys, viewer.person_id)


def _enter_run(reference: str, viewer: Viewer, prompt_key: str, stage: PromptStage) -> PlenaryRun:
    """The run, read under the writers' lock, so that its stage cannot move before the commit."""
    take_writers_lock()
    run = find_plenary(reference, viewer)
    run.prompt(prompt_key)
    if run.stages[prompt_key] is not stage:
        words = "write" if stage is PromptStage.STATEMENTS else "rank"
        raise ConflictError(f"The room does not {words} statements on this question now.")
    return run
