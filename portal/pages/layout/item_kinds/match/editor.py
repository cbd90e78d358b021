"""The editor of items of match: pairs, and right sides that belong to nothing."""

from collections.abc import Mapping
from typing import Any

from wtforms import Form, FormField

from portal.pages.layout.form_rows import Rows
from portal.pages.layout.item_kinds.fields import (
    Data,
    Editor,
    area,
    enough,
    kept_key,
    line,
    tables_of,
    text_of,
    with_keys,
)

LEAST = 2


class PairForm(Form):  # type: ignore[misc]
    """One pair."""

    key = kept_key()
    left = line("Shown to the learner", "Write what the learner is shown")
    right = line("What belongs to it", "Write what belongs to it")


class MatchForm(Form):  # type: ignore[misc]
    """The pairs, and what belongs to none."""

    pair = Rows(FormField(PairForm))
    extra_right = area(
        "Also offered, but belongs to nothing (optional)",
        hint="One a line. It keeps the last pair from being found by leaving out the others.",
    )

    def validate(self, extra_validators: Any = None) -> bool:
        """Two pairs or more, each with both sides."""
        whole = bool(super().validate(extra_validators))
        return enough(self, self.pair, LEAST, "Write two or more pairs") and whole


def _from_item(item: Mapping[str, Any]) -> Data:
    names = ("key", "left", "right")
    return {
        "pair": [{name: text_of(row, name) for name in names} for row in tables_of(item, "pair")],
        "extra_right": text_of(item, "extra_right"),
    }


def _to_item(data: Data) -> Data:
    names = ("key", "left", "right")
    rows = [{name: row[name] for name in names} for row in with_keys(data["pair"], "pair-")]
    extra = [text.strip() for text in data["extra_right"].split("\n") if text.strip()]
    return {"extra_right": extra, "pair": rows} if extra else {"pair": rows}


_ROW: Data = {"key": "", "left": "", "right": ""}
EDITOR = Editor(MatchForm, _from_item, _to_item, rows={"pair": _ROW}, fresh={"pair": [_ROW] * LEAST})
