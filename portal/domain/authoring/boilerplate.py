"""Placeholder texts of a new lesson, job aid and guide."""

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

GUIDE_TEXT = """Say first what a reader must do at once, before they look anything up.

## A heading that a reader will search for

Write what they need there, in short sentences.
"""
GUIDE_SUMMARY = "Say in one sentence what a reader finds here."
