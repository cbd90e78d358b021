"""Every action that the code writes has words; a new one fails here until it has a line in the table."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from portal.domain.audit_desk.action_words import GROUP_WORDS, ActionGroup, actions_of, list_actions
from portal.domain.audit_desk.queries import detail_pairs, sentence_of, value_words
from portal.platform.audit import ALERTS, COUNTED, OUTCOMES, list_announced
from tests.feature_sweeps import merge

PORTAL = Path(__file__).resolve().parents[3] / "portal"
WRITERS = {"log", "log_file", "log_copy", "log_alert", "log_one_of_many", "log_token_act", "_log"}
COMPUTED = {  # actions that are not written out where they are logged, and what they may be
    "_ACTS[booking.state]": {
        "booking.made", "booking.offered", "booking.declined", "booking.cancelled", "booking.lapsed",
        "booking.left",
    },
    "f'judgement.{outcome}'": {"judgement.confirmed", "judgement.sent_back", "judgement.withdrawn"},
    "f'review.{how}'": {"review.sent_back", "review.withdrawn"},
    "f'import.rows_{how}'": {"import.rows_recorded", "import.rows_lapsed", "import.rows_erased"},
    "f'folder.{verdict.state}'": {"folder.waiting", "folder.repeated", "folder.quarantined"},
    "f'decision.{outcome}'": {"decision.granted", "decision.refused", "decision.withdrawn"},
    "f'retention.disposal_{outcome}'": {
        "retention.disposal_granted", "retention.disposal_refused", "retention.disposal_withdrawn",
    },
    "f'data.request_{outcome}'": {"data.request_done", "data.request_refused"},
    "action": {
        "record.revoked", "record.restored", "access.refused", "request.failed",
        "scim.member_added", "scim.member_removed",
        "event.facilitator_named", "event.facilitator_released", "event.move_told",
        "event.cancellation_told",
        "dip_sample.recorded", "dip_sample.corrected",
    },
    "act": {"access.refused"},
    "alert": {"alert.many_refusals", "alert.many_failed_sign_ins"},
    "NOT_OPENED": {"attempt.not_opened"},
    "VIEWED_ACTION": {"person.viewed"},
    "VIEWED": {"audit.viewed"},
    "EXPORTED": {"audit.exported"},
    "'directive.version_withdrawn' if version.void else withdrawn": {
        "directive.version_withdrawn", "directive.withdrawn", "directive.issued",
    },
}  # fmt: skip
COMPUTED |= merge("COMPUTED")


@cache
def written_actions() -> list[tuple[str, str]]:
    """Where an action is written, and the action or the expression that gives it."""
    return [found for path in sorted(PORTAL.rglob("*.py")) for found in _actions_in(path)]


def _actions_in(path: Path) -> Iterator[tuple[str, str]]:
    text, file = path.read_text(), path.relative_to(PORTAL)
    if not any(f"{name}(" in text for name in WRITERS) and '"happened_at"' not in text:
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call | ast.Dict):
            place = f"{file}:{node.lineno}"
            if isinstance(node, ast.Call) and _name_of(node.func) in WRITERS and node.args:
                yield place, _text_of(node.args[0])
            elif isinstance(node, ast.Dict):  # rows of many events at once
                keys = [key.value if isinstance(key, ast.Constant) else None for key in node.keys]
                if {"action", "happened_at", "actor_id"} <= set(keys):
                    yield place, _text_of(node.values[keys.index("action")])


def _name_of(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return function.attr if function.value.id == "audit" else ""
    return function.id if isinstance(function, ast.Name) else ""


def _text_of(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ast.unparse(node)


def test_every_action_that_is_written_has_words():
    written = written_actions()
    unknown = [
        f"{place}: {action}"
        for place, text in written
        for action in COMPUTED.get(text, {text})
        if action not in list_actions()
    ]

    assert len(written) > 60
    assert unknown == []


def test_no_words_are_kept_for_what_nothing_writes():
    written = {action for _, text in written_actions() for action in COMPUTED.get(text, {text})}

    assert set(list_actions()) - written == set()


def test_every_action_with_a_meaning_of_its_own_is_in_the_table():
    assert (list_announced() | ALERTS | COUNTED | set(OUTCOMES)) - set(list_actions()) == set()


def test_every_group_has_words_and_actions():
    assert set(GROUP_WORDS) == set(ActionGroup)
    assert all(actions_of(group) for group in ActionGroup)


@pytest.mark.parametrize(
    ("action", "detail", "sentence"),
    [
        (
            "role.granted",
            {"role": "directive-owner", "unit_id": 3, "until": "2027-03-31"},
            "Gave the role Directive owner on Force/North, until 31 March 2027",
        ),
        ("role.granted", {"role": "auditor", "unit_id": 3}, "Gave the role Auditor on Force/North"),
        ("role.granted", {"role": "king", "unit_id": 3}, "Gave the role king on Force/North"),
        ("account.session_ended", {"reason": "ended_elsewhere"}, "Sessions ended: ended elsewhere"),
        ("account.session_ended", {}, "Sessions ended"),
        ("module.published", {}, "Published version (not recorded) of module (not recorded)"),
        (
            "person.names_corrected",
            {"parts": ["surname", "staff_number"]},
            "Corrected their surname, staff number",
        ),
        ("of.another_release", {"x": 1}, "of.another_release"),
    ],
    ids=["whole", "no-last-day", "unknown-role", "reason", "no-reason", "no-detail", "list", "unknown"],
)
def test_a_sentence_says_what_the_event_has(action, detail, sentence):
    assert sentence_of(action, detail, "Force/North") == sentence


def test_a_value_is_one_short_line():
    assert value_words("endpoint", "a\r\nb\x0bc") == "a b c"
    assert len(value_words("name", "x" * 5_000)) < 300


def test_details_name_no_row_of_the_database_and_no_digest():
    detail = {
        "draft": 7,
        "unit_id": 3,
        "asked_by": 12,
        "facts": [1],
        "digest": "ab",
        "kind": "waiver",
        "none": None,
    }

    assert list(detail_pairs(detail)) == [("Kind", "waiver")]
