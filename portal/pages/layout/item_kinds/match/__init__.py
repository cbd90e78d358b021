"""The editor of match items: pairs, and right sides that belong to no pair."""

from collections.abc import Mapping
from typing import Any

from wtforms import FormField

from portal.pages.layout.forms import PlainForm, Rows
from portal.pages.layout.item_kinds.fields import (
    Data,
    ItemEditor,
    area_field,
    field_text,
    has_enough_rows,
    hidden_key_field,
    line_field,
    tables_of,
    with_keys,
)

MIN_PAIRS = 2


class PairForm(PlainForm):
    """One pair."""

    key = hidden_key_field()
    left = line_field("Shown to the learner", "Write what the learner is shown")
    right = line_field("What belongs to it", "Write what belongs to it")


class MatchItemForm(PlainForm):
    """The pairs, and right sides that belong to none."""

    pair = Rows(FormField(PairForm))
    extra_right = area_field(
        "Also offered, but belongs to nothing (optional)",
        hint="One a line. With them, learners cannot find the last pair by elimination.",
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Require two pairs or more, each with both sides."""
        is_valid = bool(super().validate(extra_validators))
        return has_enough_rows(self, self.pair, MIN_PAIRS, "Write two or more pairs") and is_valid


def _from_item(item: Mapping[str, Any]) -> Data:
    names = ("key", "left", "right")
    return {
        "pair": [{name: field_text(row, name) for name in names} for row in tables_of(item, "pair")],
        "extra_right": field_text(item, "extra_right"),
    }


def _to_item(data: Data) -> Data:
    names = ("key", "left", "right")
    rows = [{name: row[name] for name in names} for row in with_keys(data["pair"], "pair-")]
    extra = [text.strip() for text in data["extra_right"].split("\n") if text.strip()]
    return {"extra_right": extra, "pair": rows} if extra else {"pair": rows}


_ROW: Data = {"key": "", "left": "", "right": ""}
EDITOR = ItemEditor(
    MatchItemForm, _from_item, _to_item, rows={"pair": _ROW}, fresh={"pair": [_ROW] * MIN_PAIRS}
)
