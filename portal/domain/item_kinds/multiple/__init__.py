"""Several right choices: a mark for exactly these, nothing for more or fewer."""

from collections.abc import Sequence
from decimal import Decimal

from portal.domain.item_kinds.base import Content
from portal.domain.item_kinds.choices import ChoiceItemText, ChoiceKind
from portal.domain.item_kinds.multiple import marking
from portal.platform.formats.toml_tables import Table


class MultipleKind(ChoiceKind):
    """Checkboxes."""

    name = "multiple"
    label = "Several right choices"
    advice = "For a list of things that all have to be done, said or noticed."
    position = 2
    allows_several = True
    hint = "Select all that apply"

    def read_content(self, table: Table, key: str, prefix: str) -> ChoiceItemText:
        """Two or more choices, two or more of them correct."""
        written = super().read_content(table, key, prefix)
        if not written.choices:
            return written  # noted already
        if len(written.choices) < 2:
            table.fault("", f"The item “{key}” needs two or more choices.")
        correct = sum(choice.correct for choice in written.choices)
        if correct < 2:
            table.fault(
                "", f"The item “{key}” has {correct} correct choices. Mark two or more correct = true."
            )
        return written

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """1 when exactly the correct choices were made; else 0."""
        return marking.mark_multiple(content, choices)


KIND = MultipleKind()
