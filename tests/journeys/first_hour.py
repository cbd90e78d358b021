"""The module that a journey's author writes from the template: two lessons, four questions."""

from typing import NamedTuple

TITLE, KEY = "First hour: a vehicle with people inside", "first-hour"
AIM = "Make people in a vehicle safe in the first hour, and tell those who must know."
OUTCOMES = ("Put safety before every other question", "Say whom to call, and what to tell them")
PROSE = (
    "You stop a van at night. Five people sit in the back. One of them is cold and does not speak. "
    "You ask the driver to step out. You call for help and you look at each person in turn. "
    "Nobody is asked for papers before all of them are safe and warm. "
)
CHECK = """
::: check
key = "check-{number}"
kind = "single"
prompt = "{prompt}"
explanation = "Safety comes first, and the record shows why."

[[choice]]
key = "a"
text = "See who is hurt or cold"
feedback = "Yes. That cannot wait."
correct = true

[[choice]]
key = "b"
text = "Ask for their papers"
feedback = "That can wait until they are safe."

[[choice]]
key = "c"
text = "Wait for a sergeant"
feedback = "You can act at once."
:::
"""


class Lesson(NamedTuple):
    title: str
    body: str


class Question(NamedTuple):
    stimulus: str
    prompt: str
    explanation: str
    choices: tuple[tuple[str, str], ...]  # the first is right


def _body(heading: str, prompt: str, number: int) -> str:
    return f"{PROSE * 4}\n\n## {heading}\n\n{PROSE * 4}\n{CHECK.format(prompt=prompt, number=number)}"


LESSONS = (
    Lesson("See to people first", _body("Who needs help", "What comes first?", 1)),
    Lesson("Tell those who must know", _body("Whom to call", "What do you do at the van?", 2)),
)


def _question(stimulus: str, prompt: str, right: str, *wrong: str) -> Question:
    told = [("Yes. That is what keeps people safe.", right)]
    told += [("No. Someone could come to harm while you do this.", text) for text in wrong]
    why = "People come before papers. What you do is written down with the time."
    return Question(stimulus, prompt, why, tuple((text, feedback) for feedback, text in told))


QUESTIONS = (
    _question(
        "A van has stopped. Someone in the back does not move.",
        "What do you do first?",
        "Open the doors and look",
        "Ask the driver for a licence",
        "Photograph the number plate",
    ),
    _question(
        "", "Who is seen to first?", "Whoever is hurt or cold", "Whoever is the oldest", "Whoever speaks"
    ),
    _question(
        "", "Whom do you tell?", "Your control room, now", "A friend at another force", "Nobody until noon"
    ),
    _question(
        "", "What do you write down?", "What you saw, and when", "What you think of them", "Only the names"
    ),
)
