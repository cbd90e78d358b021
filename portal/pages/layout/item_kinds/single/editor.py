"""The editor of items of the kind single."""

from portal.pages.layout.item_kinds.choices import choices_editor

EDITOR = choices_editor(lambda right: "" if right == 1 else "Mark exactly one choice as right")
