"""The editor of items with several correct choices."""

from portal.pages.layout.item_kinds.fields import choices_editor

EDITOR = choices_editor(lambda correct: "" if correct >= 2 else "Mark two or more choices as right")
