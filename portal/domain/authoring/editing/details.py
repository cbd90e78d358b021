"""Reads and writes ``module.toml``: a module's details, outcomes, assessment rules and list of lessons."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from portal.domain.authoring.editing.toml_patch import parse_toml, rewrite_toml


@dataclass(frozen=True, slots=True)
class ModuleDetails:
    """A module's details, its outcomes and the rules of its assessment."""

    title: str
    aim: str
    owner: str
    review_on: date
    minutes: int
    mastery_score: Decimal  # 0 to 1
    outcomes: Sequence[tuple[str, str]]  # key and text, in order
    draw: int  # items an attempt
    at_least_per_outcome: int = 0
    attempts: int = 0  # 0: no limit
    wait_minutes: int = 0  # after a fail
    pause_after: int = 0  # fails; 0: no pause
    pause_hours: int = 0
    test_out: bool = False
    pre_test: bool = False


_DETAIL_DEFAULTS: dict[str, Any] = {
    "title": "",
    "aim": "",
    "owner": "",
    "review_on": date.min,
    "minutes": 0,
    "mastery_score": 0,
}
_RULE_DEFAULTS: dict[str, Any] = {
    "draw": 1,
    "at_least_per_outcome": 0,
    "attempts": 0,
    "wait_minutes": 0,
    "pause_after": 0,
    "pause_hours": 0,
    "test_out": False,
    "pre_test": False,
}


def read_details(module_toml: bytes) -> ModuleDetails:
    """Parse the file; missing values are empty, and the check reports them."""
    document = _DETAIL_DEFAULTS | parse_toml(module_toml.decode())
    rules = document.get("assessment") or {}
    return ModuleDetails(
        **{name: document[name] for name in _DETAIL_DEFAULTS if name != "mastery_score"},
        mastery_score=Decimal(document["mastery_score"]),
        outcomes=[(row.get("key", ""), row.get("text", "")) for row in document.get("outcome", [])],
        **{name: rules.get(name, default) for name, default in _RULE_DEFAULTS.items()},
    )


def write_details(module_toml: bytes, details: ModuleDetails) -> bytes:
    """The file with these details; a rule that has its default and is not written stays unwritten."""
    text = module_toml.decode()
    document = parse_toml(text)
    edited = {"key": document.get("key")} | {name: getattr(details, name) for name in _DETAIL_DEFAULTS}
    new_document = edited | {name: value for name, value in document.items() if name not in edited}
    rows_by_key = {row.get("key"): row for row in document.get("outcome", [])}
    new_document["outcome"] = [
        rows_by_key.get(key, {}) | {"key": key, "text": text} for key, text in details.outcomes
    ]
    rules = dict(document.get("assessment") or {})
    for name, default in _RULE_DEFAULTS.items():
        value = getattr(details, name)
        if name in rules or value != default or name == "draw":
            rules[name] = value
    new_document["assessment"] = rules
    return rewrite_toml(text, new_document).encode()


def lesson_keys(module_toml: bytes) -> list[str]:
    """The keys of the lessons, in order."""
    return [str(name) for name in parse_toml(module_toml.decode()).get("lessons", [])]


def write_lesson_keys(module_toml: bytes, keys: Sequence[str]) -> bytes:
    """The file with these lessons, in this order."""
    text = module_toml.decode()
    return rewrite_toml(text, parse_toml(text) | {"lessons": list(keys)}).encode()
