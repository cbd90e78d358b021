"""Items with one correct choice."""

from portal.domain.item_kinds.choices import ChoiceItemText, ChoiceKind, check_one_correct
from portal.platform.formats.toml_tables import Table


class SingleKind(ChoiceKind):
    """A question with radios."""

    name = "single"
    label = "One right choice"
    advice = "For a decision in which one thing is right and the others are tempting."
    position = 1
    allows_several = False
    hint = "Select one"
    exercise_hint = "Choose an answer, then check it."

    def read_content(self, table: Table, key: str, prefix: str) -> ChoiceItemText:
        """Read two or more choices, exactly one of them correct."""
        written = super().read_content(table, key, prefix)
        check_one_correct(table, key, written.choices)
        return written


KIND = SingleKind()
