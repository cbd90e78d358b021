"""Items with several correct choices."""

from collections.abc import Sequence
from decimal import Decimal

from portal.domain.item_kinds.base import FULL_MARK, NO_MARK, Content
from portal.domain.item_kinds.choices import ChoiceItemText, ChoiceKind, correct_keys
from portal.platform.formats.toml_tables import Table


class MultipleKind(ChoiceKind):
    """A question with checkboxes."""

    name = "multiple"
    label = "Several right choices"
    advice = "For a list of things that all have to be done, said or noticed."
    position = 2
    allows_several = True
    hint = "Select all that apply"
    exercise_hint = "Choose all that apply, then check each."

    def read_content(self, table: Table, key: str, prefix: str) -> ChoiceItemText:
        """Read two or more choices, two or more of them correct."""
        written = super().read_content(table, key, prefix)
        if not written.choices:
            return written  # the table has this fault already
        if len(written.choices) < 2:
            table.fault("", f"The item “{key}” needs two or more choices.")
        correct = sum(choice.correct for choice in written.choices)
        if correct < 2:
            table.fault(
                "", f"The item “{key}” has {correct} correct choices. Mark two or more correct = true."
            )
        return written

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """Return 1 for exactly the correct choices, in any order; otherwise 0."""
        return FULL_MARK if set(choices) == set(correct_keys(content)) else NO_MARK


KIND = MultipleKind()
