"""The demo's exercises: the shipped ones, one run at its past event, and a proposal that waits."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

from config import ROOT
from portal.domain.people.queries import viewer_of
from portal.domain.people.visibility import Viewer
from portal.feature import ForceInMaking
from portal.features.events.demo.held import HeldDate
from portal.features.events.register import RegisterPerson
from portal.features.exercises import debrief, plenary, runs
from portal.features.exercises.plenary import list_statements
from portal.features.exercises.run_queries import LogAnswer
from portal.features.exercises.sources import DEBRIEF, pack_exercise
from portal.features.exercises.versions import (
    list_newest_versions,
    newest_version,
    propose_exercise,
    publish_exercise_folder,
    version_files,
)
from portal.platform import clock
from portal.platform.clock import london_day
from portal.platform.db import stamp, transaction

EXERCISES = ROOT / "exercises"
NOTE = "Last time three people asked who they could talk to afterwards. The debrief says it now."
ADDED = "\nIn this fictional force, ask at the front desk of the training centre for peer support.\n"
EXERCISE, PROMPT = "night-at-marrow-hill", "monday"
BEGINS = 20  # minutes after the event
# Minute of the exercise, syndicate, question, and what it wrote.
ENTRIES: tuple[tuple[int, int, str, LogAnswer], ...] = (
    (1, 1, "first-minute", {"text": "Ring back, then text him.", "reason": "A text makes no noise."}),
    (1, 2, "first-minute", {"text": "Text him. Nobody rings.", "reason": "A ringing phone may betray him."}),
    (2, 1, "commit", {"choice": "one-three", "reason": "Air first. The woman keeps one officer near."}),
    (3, 2, "commit", {"choice": "all", "reason": "Twelve lives, and minutes to save them."}),
    (7, 1, "text-message", {"text": "It names a place and nobody. A reply would make it worth more."}),
    (12, 1, "left-or-right", {"choice": "services", "reason": "Somebody hears banging there, now."}),
    (13, 2, "left-or-right", {"choice": "lay-by", "reason": "We took the text for the whisper's sender."}),
    (15, 2, "", {"text": "Send fire to both places.", "reason": "Neither can be ruled out yet."}),
    (33, 1, "travels", {"choice": "woman-officer", "reason": "He holds her sleeve. The man is not checked."}),
    (34, 2, "travels", {"choice": "officer", "reason": "Nobody knows yet who the man is."}),
)
STATEMENTS = (
    "Write the reason next to every decision, while it is fresh.",
    "Ask contact what they have not told us yet, every fifteen minutes.",
)
ACTION = "Show the team how to reach an interpreter by telephone at night"


def publish_shipped(_force: ForceInMaking) -> None:
    """Publish the shipped exercises with the modules."""
    publish_exercises(EXERCISES, stamp())


def publish_again(_force: ForceInMaking) -> None:
    """Publish them in a force that is there."""
    publish_exercises(EXERCISES, clock.now())


def run_at_event(force: ForceInMaking) -> None:
    """Have the exercise run at the event of the past."""
    force.at_event.append(run_exercise)


def propose_today(force: ForceInMaking) -> None:
    """Leave a proposal for a second person."""
    with transaction():
        propose_change(force.people["D3001"], clock.now())


def publish_exercises(folder: Path, at: datetime) -> None:
    """Publish every exercise of a folder; what is published already stays as it is."""
    publish_exercise_folder(folder, at=at)


def propose_change(author: int, at: datetime) -> None:
    """Propose the first exercise with a longer debrief, for a publisher to read.

    Args:
        author: Who sends it.
        at: When, later than its version was published.
    """
    line = list_newest_versions()[0]
    version = newest_version(line.key)
    files = version_files(version.id) if version else {}
    files[DEBRIEF] += ADDED.encode()
    propose_exercise(pack_exercise(line.key, files), note=NOTE, by=author, at=at)


def run_exercise(held: HeldDate, people: Sequence[RegisterPerson], facilitator: int) -> None:
    """Run the shipped exercise at the event, from its start to its end. Edge only, in no transaction.

    Nothing happens where a syndicate is empty.

    Args:
        held: The event.
        people: Who has a place; the first of each syndicate is its scribe.
        facilitator: Who leads.
    """
    scribes = {person.syndicate: person.person_id for person in reversed(people) if person.syndicate}
    lead, viewers = viewer_of(facilitator), {key: viewer_of(person) for key, person in scribes.items()}
    first, second = viewers.get(1), viewers.get(2)
    if lead is None or first is None or second is None:
        return
    with _record_at_minute(held, -5) as at:
        run = runs.open_run(lead, runs.RunRequest(EXERCISE, "event", held.reference), at)
    for syndicate, viewer in ((1, first), (2, second)):
        with _record_at_minute(held, syndicate - 4) as at:
            runs.become_scribe(run, viewer, syndicate, uuid4(), at)
    _take_step(held, 0, run, lead, "start")
    minutes = {inject["minute"] for inject in plenary.find_plenary(run, lead).exercise.content["injects"]}
    for minute in range(1, 120):
        if minute - 1 in minutes:
            with _record_at_minute(held, minute - 0.9) as at:
                runs.note_releases(run, lead, at)
        _write_entries(held, minute, run, (first, second))
    _take_step(held, 120, run, lead, "plenary")
    _hold_plenary(held, run, lead, (first, second))
    _take_step(held, 190, run, lead, "end")


def _write_entries(held: HeldDate, minute: int, run: str, writers: tuple[Viewer, Viewer]) -> None:
    """What the syndicates wrote at a minute of the exercise."""
    for when, syndicate, question, answer in ENTRIES:
        if when == minute:
            requested = runs.EntryRequest(answer, question)
            with _record_at_minute(held, minute) as at:
                runs.write_entry(run, writers[syndicate - 1], syndicate, uuid4(), requested, at)


def _hold_plenary(held: HeldDate, run: str, lead: Viewer, writers: tuple[Viewer, Viewer]) -> None:
    """Two statements on one question, ranked by the people who wrote them, and an action."""
    stage = plenary.PromptStage
    _open_stage(held, 125, run, lead, stage.STATEMENTS)
    with _record_at_minute(held, 130):
        for viewer, text in zip(writers, STATEMENTS, strict=True):
            plenary.write_statement(run, viewer, PROMPT, text)
    _open_stage(held, 135, run, lead, stage.READING)
    _open_stage(held, 140, run, lead, stage.RANKING)
    with _record_at_minute(held, 145):
        statements = list_statements(plenary.find_plenary(run, lead).run.id, PROMPT)
        favourite = [statement.key for statement in statements if statement.text == STATEMENTS[0]]
        all_keys = [statement.key for statement in statements]
        for viewer, keys in zip(writers, (favourite, all_keys), strict=True):
            plenary.choose_statements(run, viewer, PROMPT, keys)
    _open_stage(held, 150, run, lead, stage.CLOSED)
    with _record_at_minute(held, 160) as at:
        due_on = london_day(at) + timedelta(days=28)
        run_view = plenary.find_plenary(run, lead).run
        debrief.add_action(run_view, ACTION, "Every supervisor here", due_on, key=uuid4())


def _open_stage(held: HeldDate, minute: float, run: str, lead: Viewer, stage: plenary.PromptStage) -> None:
    with _record_at_minute(held, minute):
        plenary.move_to_stage(run, lead, PROMPT, stage, form_key=uuid4())


def _take_step(held: HeldDate, minute: float, run: str, lead: Viewer, kind: str) -> None:
    with _record_at_minute(held, minute) as at:
        runs.take_step(run, lead, uuid4(), runs.StepRequest(kind), at)


@contextmanager
def _record_at_minute(held: HeldDate, minute: float) -> Iterator[datetime]:
    """A transaction that is recorded at a minute of the exercise."""
    at = held.time_after(BEGINS + minute)
    with transaction(stamp_as=at):
        yield at
