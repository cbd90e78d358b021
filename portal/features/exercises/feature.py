"""The manifest of exercises."""

from portal.feature import (
    FIRST,
    ActText,
    ContentFolder,
    DemoStep,
    DeskSource,
    Feature,
    MenuItem,
    Part,
    PermissionGrant,
)
from portal.platform.permissions import Permission, Role

RUN = Permission("exercises:run:control")
READ = Permission("exercises:version:view")  # with the notes for facilitators

_LEARNING, _CONTENT = "learning", "content"  # groups of acts
_VERSIONS = "Exercises to read before they are run, and proposals of new versions"

FEATURE = Feature(
    name="exercises",
    title="Exercises: run in a room, with decision logs, a plenary and a debrief",
    needs=("events",),
    blueprints=("views:bp", "commands:bp"),
    models="models",
    permissions={
        RUN: PermissionGrant(frozenset({Role.FACILITATOR})),
        READ: PermissionGrant(frozenset({Role.AUTHOR, Role.PUBLISHER, Role.FACILITATOR})),
    },
    navigation=(
        MenuItem(
            "Events", "Rooms", "Exercises", "/exercises", RUN, "Run an exercise in the room, or rehearse it"
        ),
        MenuItem("Events", "Exercises", "Exercise versions", "/exercises/versions", RUN, _VERSIONS),
        MenuItem("Authoring", "Event types", "Exercise versions", "/exercises/versions", READ, _VERSIONS),
    ),
    desk=(
        DeskSource(
            "event types", Permission.VERSION_PUBLISH, "Authoring", "parts:find_exercises", name="exercises"
        ),
    ),
    parts=(
        Part("events.event", "parts:link_to_runs"),
        Part("events.places", "parts:link_to_syndicate"),
        Part("events.signed_in", "parts:say_where_it_opens"),
        Part("guides.links", "parts:link_to_exercises"),
    ),
    acts={
        "plenary.moved": ActText(_LEARNING, "Moved a plenary’s question on[: {run}][, {prompt}][, {stage}]"),
        "plenary.grouped": ActText(
            _LEARNING, "Grouped anonymous statements of a plenary[: {run}][, {prompt}]"
        ),
        "plenary.hidden": ActText(
            _LEARNING, "Took anonymous statements of a plenary off the wall[: {run}][, {prompt}]"
        ),
        "plenary.shown": ActText(
            _LEARNING, "Put anonymous statements of a plenary back on the wall[: {run}][, {prompt}]"
        ),
        "run_action.added": ActText(_LEARNING, "Wrote down an action from an exercise[: {run}]"),
        "run_action.withdrawn": ActText(_LEARNING, "Took back an action from an exercise[: {run}]"),
        "debrief.downloaded": ActText(
            _LEARNING, "Downloaded the debrief of an exercise[: {run}][ ({format})]"
        ),
        "exercise.opened": ActText(_LEARNING, "Opened the exercise {reference}[: {kind}]"),
        "exercise.step_taken": ActText(_LEARNING, "In the exercise {reference}: {step}"),
        "exercise.entry_written": ActText(
            _LEARNING, "Wrote into a decision log of the exercise {reference}[: {entry}]"
        ),
        "exercise.published": ActText(_CONTENT, "Published version {number} of the exercise {exercise}"),
        "exercise.proposed": ActText(_CONTENT, "Proposed a version of the exercise {exercise}"),
        "exercise.sent_back": ActText(_CONTENT, "Sent back a version of the exercise {exercise}"),
        "exercise.withdrawn": ActText(_CONTENT, "Withdrew a proposed version of the exercise {exercise}"),
    },
    content=(ContentFolder("exercises", "modules", "versions:publish_release_folder"),),
    personal_data="personal_data:TABLES",
    not_personal={
        "exercise": "exercises by their keys",
        "exercise_file": "files of exercises",
        "plenary_statement": "statements that nobody’s name, time or order is kept with",
    },
    polled=("exercises",),
    media=(r"/exercises(?:/versions/_proposals/\d+)?",),
    files=("/exercises",),
    demo=(
        DemoStep("content", "exercises", "modules", "demo:publish_shipped"),
        DemoStep("past", "exercise at the event", FIRST, "demo:run_at_event"),
        DemoStep("today", "proposed exercise", "events", "demo:propose_today"),
        DemoStep("again", "exercises", "event types", "demo:publish_again"),
    ),
)
