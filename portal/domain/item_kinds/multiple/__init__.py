"""Items with several correct choices."""

from portal.domain.item_kinds.choices import ChoiceItemText, ChoiceKind
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


KIND = MultipleKind()
