"""The editor of items with one correct choice."""

from portal.pages.layout.item_kinds.fields import choices_editor

EDITOR = choices_editor(lambda correct: "" if correct == 1 else "Mark exactly one choice as right")
