"""The editor of order items: the steps, written in the correct order."""

from collections.abc import Mapping
from typing import Any

from wtforms import FormField

from portal.pages.layout.forms import PlainForm, Rows
from portal.pages.layout.item_kinds.fields import (
    Data,
    ItemEditor,
    field_text,
    has_enough_rows,
    hidden_key_field,
    line_field,
    tables_of,
    with_keys,
)

MIN_STEPS = 3


class StepForm(PlainForm):
    """One step."""

    key = hidden_key_field()
    text = line_field("Step", "Write the step")


class OrderItemForm(PlainForm):
    """The steps in the correct order."""

    step = Rows(FormField(StepForm))

    def validate(self, extra_validators: Any = None) -> bool:
        """Require three steps or more, each with its text."""
        is_valid = bool(super().validate(extra_validators))
        return has_enough_rows(self, self.step, MIN_STEPS, "Write three or more steps") and is_valid


def _from_item(item: Mapping[str, Any]) -> Data:
    rows = tables_of(item, "step")
    return {"step": [{name: field_text(row, name) for name in ("key", "text")} for row in rows]}


def _to_item(data: Data) -> Data:
    return {"step": [{"key": row["key"], "text": row["text"]} for row in with_keys(data["step"], "step-")]}


_ROW: Data = {"key": "", "text": ""}
EDITOR = ItemEditor(
    OrderItemForm, _from_item, _to_item, rows={"step": _ROW}, fresh={"step": [_ROW] * MIN_STEPS}
)
