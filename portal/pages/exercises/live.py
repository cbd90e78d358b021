"""Screens that ask once a second: an answer without content while nothing is new on them."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

from flask import Response, make_response, request

from portal.domain.exercises.running.progress import Progress, is_for
from portal.domain.exercises.running.queries import RunView, exercise_in
from portal.domain.exercises.running.services import note_releases
from portal.domain.people.queries import Viewer
from portal.platform.db import try_to_write

CLOCK_HEADER = "Exercise-Clock"  # whole seconds of the exercise's clock, with every answer
ASK_EVERY = 800  # milliseconds from one answer to the next question: an inject is there within a second


def screen_tag(
    screen: str, run: RunView, progress: Progress, syndicate: int = 0, *, plenary: object = None
) -> str:
    """A tag of a screen's content: it changes whenever something on the screen does.

    Args:
        screen: The name of the screen.
        run: As the viewer sees it, with the newest entry of the syndicate or of all.
        progress: Of the run now.
        syndicate: Whose screen; 0: one that shows all.
        plenary: What it shows of the plenary.
    """
    injects = exercise_in(run).content["injects"]
    released = [
        inject["key"]
        for inject in injects
        if inject["key"] in progress.releases and (screen == "control" or is_for(syndicate, inject))
    ]
    scribes = sorted(progress.scribes.items())
    contents = (
        (screen, run.recorded_at, run.person_id, syndicate, run.newest_entry, plenary),
        (progress.phase, progress.clock.is_waiting, released),
        sorted(key for key in progress.own_releases if screen == "control" or key[0] == syndicate),
        [step.id for step in progress.messages if screen == "control" or step.syndicate in (0, syndicate)],
        scribes if not syndicate else progress.scribes.get(syndicate),
    )
    return sha256(repr(contents).encode()).hexdigest()[:24]


def answer_screen(tag: str, progress: Progress, render: Callable[[], str]) -> Response:
    """The page, or that nothing is new on it since the reader's last question."""
    is_known = request.if_none_match.contains_weak(tag)
    response = Response(status=304) if is_known else make_response(render())
    response.set_etag(tag, weak=True)
    response.headers[CLOCK_HEADER] = str(int(progress.clock.elapsed.total_seconds()))
    return response


def note_clock_releases(run: RunView, progress: Progress, viewer: Viewer, at: datetime) -> None:
    """Note what the clock has released, where that can be done at once; another screen does it otherwise."""
    if progress.unnoted:
        try_to_write(lambda: note_releases(run.reference, viewer, at), "an inject was released by the clock")
