"""Items with one correct choice."""

from collections.abc import Sequence
from decimal import Decimal

from portal.domain.item_kinds.base import FULL_MARK, NO_MARK, Content
from portal.domain.item_kinds.choices import ChoiceItemText, ChoiceKind, check_one_correct, correct_keys
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

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return 1 for the correct choice and nothing else; otherwise 0."""
        right = len(choices) == 1 and set(choices) == set(correct_keys(content))
        return FULL_MARK if right else NO_MARK


KIND = SingleKind()
