"""Small exercises as folders, whole by default; a test changes only what it is about."""

from pathlib import Path

from tests.domain.catalogue.folders import FORCE, GLOSSARY, SOURCES, SVG
from tests.domain.catalogue.sounds import make_vtt, make_wav

EXERCISE = """title = "A short night"
summary = "Decide with little time."
owner = "Learning and development"
review_on = 2027-05-31
minutes = 30
roles = ["Response supervisor"]
injects = ["call", "choice", "door", "wait"]

[[plenary]]
key = "hard"
prompt = "What was hard?"
compares = ["first"]
"""
CALL = """+++
title = "The call"
minute = 0
sources = ["1", "practice"]

[[question]]
key = "first"
kind = "decision"
role = "Response supervisor"
prompt = "What do you do *now*?"
reason = true
+++

Somebody knocks. Call [[force.nccu_contact]].

::: figure media/box.svg
A box stands in a lane.
:::

## For the facilitator

Let them decide. See [OIC](term:OIC).
"""
CHOICE = """+++
title = "Two ways"
minute = 10
turning_point = true
sources = ["practice"]

[[question]]
key = "which"
kind = "choice"
prompt = "Which?"

[[question.choice]]
key = "open"
text = "Open it"

[[question.choice]]
key = "wait"
text = "Wait"

[[question]]
key = "order"
kind = "ranking"
prompt = "In which order?"

[[question.choice]]
key = "air"
text = "Air"

[[question.choice]]
key = "count"
text = "A count"
+++

Choose.

::: figure media/call.wav
The call

A voice: help us.
:::

## For the facilitator

Release one of the two next injects to each syndicate.
"""


def continuation(title: str, cue: str, body: str = "It goes on.\n") -> str:
    """An inject that continues the turning point."""
    return (
        f'+++\ntitle = "{title}"\ncue = "{cue}"\nafter = "choice"\nsyndicates = [2, 1]\n'
        f'sources = ["practice"]\n+++\n\n{body}\n## For the facilitator\n\nWatch.\n'
    )


def exercise_files() -> dict[str, str | bytes]:
    """Every file of the exercise’s folder, by path."""
    return {
        "exercise.toml": EXERCISE,
        "briefing.md": "You are the supervisors of one night.\n",
        "facilitator.md": "Let them *decide*.\n",
        "debrief.md": "What would you do differently tonight?\n",
        "injects/call.md": CALL,
        "injects/choice.md": CHOICE,
        "injects/door.md": continuation("The door", "They opened it"),
        "injects/wait.md": continuation("Silence", "They waited"),
        "media/box.svg": SVG,
        "media/call.wav": make_wav(1),
        "media/call.vtt": make_vtt((0, 1, "help us")),
    }


def as_bytes(files: dict[str, str | bytes]) -> dict[str, bytes]:
    """The same files as bytes."""
    return {path: c.encode() if isinstance(c, str) else c for path, c in files.items()}


def write_exercises(
    root: Path, changes: dict[str, str | bytes | None] | None = None, key: str = "short-night"
) -> Path:
    """The exercise in ``root/exercises``, with files changed or (None) left out, beside the shared files."""
    shared = {"_sources.toml": SOURCES, "_glossary.toml": GLOSSARY, "_force.toml": FORCE}
    merged = {**exercise_files(), **(changes or {})}
    files = {f"exercises/{key}/{path}": content for path, content in merged.items()}
    for path, content in {**files, **{f"modules/{name}": text for name, text in shared.items()}}.items():
        if content is None:
            continue
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.encode() if isinstance(content, str) else content)
    return root / "exercises"
