"""Initial content: the files of a new module, and placeholder texts of a new lesson, job aid and guide."""

from datetime import date

from portal.domain.authoring.editing import lesson, toml_writer

LESSON_TEXT = """Begin with a short case, a question, or what an officer meets on the next shift.

## A heading that says what this part is about

Write short sentences. One idea for each paragraph.
"""

JOB_AID_TEXT = """1. Say what to do first.
2. Then what to do next.

::: warning
Say what must not be forgotten.
:::
"""

BRIEFING_TEXT = """## The case

Say in a few sentences what an officer meets, and stop where they have to decide.

## Two questions

1. Ask what they do first.
2. Ask what they look for next.

## The answer

Say what a good officer does, and why.
"""

GUIDE_TEXT = """Say first what a reader must do at once, before they look anything up.

## A heading that a reader will search for

Write what they need there, in short sentences.
"""
GUIDE_SUMMARY = "Say in one sentence what a reader finds here."

_OUTCOMES = (
    ("outcome-1", "Say what a learner can do after the first lesson"),
    ("outcome-2", "Say what a learner can do after the second lesson"),
)


def template_folder(key: str, title: str, owner: str, review_on: date) -> dict[str, bytes]:
    """Every file of the new module by path."""
    module = {
        "key": key,
        "title": title,
        "aim": "Say in one sentence what this module is for.",
        "owner": owner,
        "review_on": review_on,
        "minutes": 10,
        "mastery_score": 0.75,
        "lessons": ["lesson-1", "lesson-2"],
        "outcome": [{"key": key_name, "text": text} for key_name, text in _OUTCOMES],
        "assessment": {"draw": 4, "at_least_per_outcome": 1},
    }
    return {
        "module.toml": toml_writer.format_members(module).encode(),
        "lessons/lesson-1.md": lesson.new_lesson_file("First lesson", 4, ["outcome-1"], _FIRST_LESSON),
        "lessons/lesson-2.md": lesson.new_lesson_file("Second lesson", 4, ["outcome-2"], _SECOND_LESSON),
        "items/items.toml": toml_writer.format_members(
            {"item": [_template_item(number) for number in range(1, 5)]}
        ).encode(),
    }


_FIRST_LESSON = """\
Begin with a short case: what a learner may meet on their next shift. Say what was seen and done.

## What to look for

- Write short sentences, with one thought in each.
- Name what can be seen or heard, not what somebody is.

::: inset
Put the one thing that a learner should remember in this box.
:::
"""
_SECOND_LESSON = """\
Say in one or two sentences what a learner does differently after this lesson.

## What to do first

1. Write each step as an order: who does what, and when.
2. Keep to steps that a learner can take alone.

::: warning
Say here what must never be done, or take this box out.
:::
"""


def _template_item(number: int) -> dict[str, object]:
    return {
        "key": f"question-{number}",
        "outcome": "outcome-1" if number <= 2 else "outcome-2",
        "kind": "single",
        "prompt": f"Write question {number} here.",
        "explanation": "Say why the right answer is right. It is shown after a pass.",
        "source": "practice",
        "choice": [
            {"key": "a", "text": "The right answer", "feedback": "Right. Say why.", "correct": True},
            {"key": "b", "text": "A likely mistake", "feedback": "Not right. Say why."},
            {"key": "c", "text": "Another likely mistake", "feedback": "Not right. Say why."},
        ],
    }
