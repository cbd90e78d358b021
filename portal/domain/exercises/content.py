"""The shape of a published exercise's content, as ``ExerciseVersion.content`` holds it."""

from typing import Literal, TypedDict

QuestionKind = Literal["decision", "choice", "ranking", "text"]


class QuestionChoice(TypedDict):
    """One choice of a question of kind choice or ranking."""

    key: str
    html: str  # safe inline HTML


class InjectQuestion(TypedDict):
    """A question that a syndicate answers in its log; nothing is marked."""

    key: str  # unique within the exercise
    kind: QuestionKind
    prompt_html: str  # safe inline HTML
    reason: bool  # the syndicate gives its reason with the answer
    choices: list[QuestionChoice]  # of kind choice or ranking; else empty


class Inject(TypedDict):
    """A piece of material with its questions.

    It is released when the exercise's clock reaches ``minute``, or by hand where that is None.
    """

    key: str  # unique within the exercise
    title: str
    minute: int | None
    cue: str  # for the facilitator: when to release it by hand; "" with a minute
    syndicates: list[int]  # who gets it; empty: all
    turning_point: bool
    html: str  # safe; slots {{force:key}} as in lessons
    facilitator_html: str  # for the control page alone
    questions: list[InjectQuestion]


class PlenaryPrompt(TypedDict):
    """What the room is asked in the plenary; answered by anonymous statements."""

    key: str
    prompt_html: str
    compares: list[str]  # keys of the questions whose answers are shown side by side with it


class ExerciseContent(TypedDict):
    """All that a run needs."""

    roles: list[str]  # duties whose supervisors decide something in it, in words
    briefing_html: str  # shown to all before the start
    facilitator_html: str
    injects: list[Inject]  # in order
    plenary: list[PlenaryPrompt]
    debrief_html: str  # shown after the end
