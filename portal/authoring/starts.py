"""What a new lesson and a new job aid begin with: words to be written over."""

LESSON = """Begin with a short case, a question, or what an officer meets on the next shift.

## A heading that says what this part is about

Write short sentences. One idea for each paragraph.
"""

JOB_AID = """1. Say what to do first.
2. Then what to do next.

::: warning
Say what must not be forgotten.
:::
"""
