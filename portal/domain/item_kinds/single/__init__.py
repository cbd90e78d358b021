"""One right choice: a mark for it, nothing for any other."""

from collections.abc import Sequence
from decimal import Decimal

from portal.domain.item_kinds.base import Content
from portal.domain.item_kinds.choices import ChoiceItemText, ChoiceKind, check_one_correct
from portal.domain.item_kinds.single import marking
from portal.platform.formats.toml_tables import Table


class SingleKind(ChoiceKind):
    """Radios."""

    name = "single"
    label = "One right choice"
    advice = "For a decision in which one thing is right and the others are tempting."
    position = 1
    allows_several = False
    hint = "Select one"

    def read_content(self, table: Table, key: str, prefix: str) -> ChoiceItemText:
        """Two or more choices, exactly one of them correct."""
        written = super().read_content(table, key, prefix)
        check_one_correct(table, key, written.choices)
        return written

    def mark_answer(self, content: Content, choices: Sequence[str]) -> Decimal:
        """1 when the one correct choice, and nothing else, was made; else 0."""
        return marking.mark_single(content, choices)


KIND = SingleKind()
