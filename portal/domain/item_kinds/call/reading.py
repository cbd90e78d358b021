"""Reading of calls as written by their authors."""

from dataclasses import dataclass

from portal.domain.item_kinds.choices import ChoiceText
from portal.platform.formats.toml_tables import Table, read_key

FIELD_KINDS = ("choice", "fact")
MAX_BITS, MAX_CHOICES, MAX_FIELDS = 12, 6, 20


@dataclass(frozen=True)
class QuestionText:
    """One thing that a learner may ask or say, as written."""

    key: str
    text: str
    answer: str  # what it brings, shown at once
    feedback: str  # shown in the debrief
    correct: bool
    line: int


@dataclass(frozen=True)
class BitText:
    """A part of the call: new facts, then one question of several."""

    key: str
    text: str
    choices: tuple[QuestionText, ...]
    line: int


@dataclass(frozen=True)
class FieldText:
    """One thing that is passed on: a choice, or a short fact to be typed."""

    key: str
    label: str
    kind: str  # "choice" or "fact"
    choices: tuple[ChoiceText, ...]
    unasked: str  # the choice that is right for who did not ask ``needs``; empty: none
    needs: str  # ``bit/choice``, without which nobody knows it; empty: everybody does
    accept: tuple[str, ...]  # what counts as right; the first is the model
    feedback: str
    line: int


@dataclass(frozen=True)
class CallText:
    """The content of a case of kind call, as written."""

    incident: str
    incident_line: int
    bits: tuple[BitText, ...]
    fields: tuple[FieldText, ...]


def read_call(table: Table, prefix: str) -> CallText:
    """Read the bits and the fields, in the order in which they come and are passed on."""
    incident = table.text("incident")
    keys: set[str] = set()
    bits = [_read_bit(row, prefix, keys) for row in table.tables("bit", f"[[{prefix}bit]]")]
    fields = [
        field
        for row in table.tables("field", f"[[{prefix}field]]")
        if (field := _read_field(row, prefix, keys, bits)) is not None
    ]
    for key, rows, most in (("bit", bits, MAX_BITS), ("field", fields, MAX_FIELDS)):
        if len(rows) > most:
            table.fault(key, f"Keep the call to {most} tables headed [[{prefix}{key}]].")
    return CallText(incident, table.line_of("incident"), tuple(bits), tuple(fields))


def _read_own_key(row: Table, keys: set[str]) -> str:
    """The key of a bit or a field, which share one set of keys."""
    key = read_key(row)
    if key and key in keys:
        row.fault("key", f"The key “{key}” is used twice in this call. Give each bit and field its own.")
    keys.add(key)
    return key


def _read_bit(row: Table, prefix: str, keys: set[str]) -> BitText:
    key, text = _read_own_key(row, keys), row.text("text")
    choices: list[QuestionText] = []
    for choice_row in row.tables("choice", f"[[{prefix}bit.choice]]"):
        choice = QuestionText(
            read_key(choice_row),
            choice_row.text("text"),
            choice_row.text("answer"),
            choice_row.text("feedback"),
            choice_row.flag("correct"),
            choice_row.line,
        )
        if choice.key and any(choice.key == other.key for other in choices):
            choice_row.fault("key", f"The key “{choice.key}” is used twice in this bit. Give each its own.")
        choice_row.close()
        choices.append(choice)
    if choices and not 2 <= len(choices) <= MAX_CHOICES:
        row.fault("", f"The bit “{key}” has {len(choices)} choices. Offer 2 to {MAX_CHOICES}.")
    if choices and len({choice.correct for choice in choices}) == 1:
        reason = "Mark one or more with correct = true, and leave at least one without it."
        row.fault("", f"In the bit “{key}” every choice is as good as the others. {reason}")
    row.close()
    return BitText(key, text, tuple(choices), row.line)


def _read_field(row: Table, prefix: str, keys: set[str], bits: list[BitText]) -> FieldText | None:
    key, label, kind = _read_own_key(row, keys), row.text("label"), row.text("kind")
    if kind not in FIELD_KINDS:
        if kind:
            row.fault("kind", f"“{kind}” is not a kind of field. Use choice or fact.")
        return None
    choices: tuple[ChoiceText, ...] = ()
    needs, unasked, feedback, accept = "", "", "", []
    if kind == "choice":
        needs = row.text("needs", required=False)
        choices, unasked_keys = _read_field_choices(row, prefix)
        unasked = unasked_keys[0] if unasked_keys else ""
        _check_choices(row, key, choices)
        _check_needs(row, needs, unasked_keys, bits)
    else:
        accept, feedback = row.texts("accept"), row.text("feedback")
        if row.has("accept") and not accept:
            row.fault("accept", "Name at least one answer that counts as right.")
    row.close()
    return FieldText(key, label, kind, choices, unasked, needs, tuple(accept), feedback, row.line)


def _read_field_choices(row: Table, prefix: str) -> tuple[tuple[ChoiceText, ...], list[str]]:
    """The choices of a field, and the keys of those that are right for who did not ask."""
    choices: list[ChoiceText] = []
    unasked: list[str] = []
    for choice_row in row.tables("choice", f"[[{prefix}field.choice]]"):
        key = read_key(choice_row)
        if key and any(key == other.key for other in choices):
            choice_row.fault("key", f"The key “{key}” is used twice in this field. Give each choice its own.")
        texts = choice_row.text("text"), choice_row.text("feedback")
        choices.append(ChoiceText(key, *texts, choice_row.flag("correct"), choice_row.line))
        if choice_row.flag("unasked"):
            unasked.append(key)
            if choices[-1].correct:
                choice_row.fault("unasked", "A choice is right for who asked, or for who did not: not both.")
        choice_row.close()
    return tuple(choices), unasked


def _check_choices(row: Table, key: str, choices: tuple[ChoiceText, ...]) -> None:
    if not choices:
        return  # the table has this fault already
    if len(choices) < 2:
        row.fault("", f"The field “{key}” needs two or more choices.")
    correct = sum(choice.correct for choice in choices)
    if correct != 1:
        reason = f"The field “{key}” has {correct} correct choices. Mark exactly one correct = true."
        row.fault("", reason)


def _check_needs(row: Table, needs: str, unasked: list[str], bits: list[BitText]) -> None:
    """Note where the fact that a field needs cannot be asked for, or nothing is right without it."""
    good = {f"{bit.key}/{choice.key}" for bit in bits for choice in bit.choices if choice.correct}
    if needs and needs not in good:
        reason = f"“{needs}” is no right choice of a bit. Write one as bit/choice, such as first/who."
        row.fault("needs", reason)
    if needs and len(unasked) != 1:
        reason = "Mark exactly one choice unasked = true: what is right to say for who did not ask."
        row.fault("needs", reason)
    if unasked and not needs:
        row.fault("", "A choice has unasked = true, but the field does not say what it needs.")
