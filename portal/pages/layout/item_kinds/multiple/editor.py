"""The editor of items of the kind multiple."""

from portal.pages.layout.item_kinds.choices import choices_editor

EDITOR = choices_editor(lambda right: "" if right >= 2 else "Mark two or more choices as right")
