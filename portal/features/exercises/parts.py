"""What other pages show of exercises: what waits, the runs at an event, and links."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import render_template, url_for
from flask_login import current_user

from portal.domain.people.visibility import Viewer
from portal.features.events.models import Booking
from portal.features.exercises.feature import RUN
from portal.features.exercises.runs import list_event_runs
from portal.features.exercises.versions import count_exercises_for
from portal.pages.layout.navigation import Waiting
from portal.platform.wording import plural


def find_exercises(viewer: Viewer) -> Iterator[Waiting]:
    """Versions of exercises that somebody else proposed."""
    if count := count_exercises_for(viewer.person_id):
        yield Waiting(
            f"{plural(count, 'exercise waits', 'exercises wait')} for you",
            plural(count, "exercise to read and publish", "exercises to read and publish"),
            url_for("exercises.list_versions"),
            "Proposed by others",
        )


@dataclass(frozen=True, slots=True)
class RunLinks:
    """Links to the runs at an event, as HTML."""

    own: str  # for somebody with a place
    control: str  # for whoever runs the event


def link_to_runs(event_id: int, own_place: Booking | None) -> RunLinks:
    """The runs at an event, the newest first."""
    runs = list_event_runs(event_id)
    return RunLinks(
        render_template("exercises/own_runs.html", runs=runs, own_place=own_place),
        render_template("exercises/event_runs.html", runs=runs, may_control=RUN in current_user.permissions),
    )


def link_to_syndicate() -> tuple[str, str]:
    """The words and the address by which somebody finds the page of their syndicate."""
    return "Exercises: your syndicate’s page", url_for("exercises.list_exercise_runs")


def say_where_it_opens() -> str:
    """Where somebody who has signed in at an event finds its exercise."""
    return render_template("exercises/signed_in.html")


def link_to_exercises() -> tuple[str, str]:
    """The words and the address of the list of exercises."""
    return "Exercises to work through together", url_for("exercises.list_exercise_runs")
