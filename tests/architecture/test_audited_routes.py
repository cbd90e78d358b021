"""Whatever changes something writes an audit event: every route that takes a form, and every command.

From each, the names that its code refers to are followed through the portal until ``log`` of the audit trail
is met. A new route or command that never comes to it fails here, unless the lists below say why it need not.
It is a net, not a proof: ``tests/pages/audit/test_unwritable.py`` does the acts themselves.
"""

import ast
import importlib
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest
from flask import Flask

from tests.feature_sweeps import merge

PORTAL = Path(__file__).resolve().parents[2] / "portal"
TRAIL = {("portal.platform.audit", name) for name in ("log", "log_file", "log_copy")}
Name = tuple[str, str]  # module and function, or class

OWN_WORK = "facts of one's own learning, each with its person and time, append-only"
SHOWS = "draws the form and its preview; nothing is kept until the directive is issued"
OWN_STATEMENT = "said without a name, a time or an order: it would give them (docs/decisions/privacy.md)"
ROUTES_WITHOUT = {
    "exercises.send_statement": OWN_STATEMENT,
    "exercises.rank_prompt": OWN_STATEMENT,
    "assessment.save_answer": OWN_WORK,
    "learning.complete_lesson": OWN_WORK,
    "learning.save_case_step": OWN_WORK,
    "learning.save_rubric": OWN_WORK,
    "learning.start_module": OWN_WORK,
    "learning.take_pre_test": "writes nothing (docs/decisions/content.md)",
    "learning.start_assessment": OWN_WORK,
    "saml.receive_assertion": "keeps the answer for two minutes; the sign-in with it has an entry",
    "sign_in.request_link": "keeps the request; the job that sends its mail makes the entry",
    "directives.change_directive": SHOWS,
    "directives.new_directive": SHOWS,
}
OF_THE_MACHINE = "works on the files of the database, whatever its release; the machine's own log has it"
COMMANDS_WITHOUT = {
    "backup": OF_THE_MACHINE,
    "restore": OF_THE_MACHINE,
    "db upgrade": OF_THE_MACHINE,
    "backups fetch": OF_THE_MACHINE,
    "backups new-key": "writes a file that is the operator's own",
    "backups status": "reads",
    "dip-samples template": "writes an empty file",
    "backups stored": "reads",
    "directives reconcile": "writes derived rows again from facts; no fact changes",
    "event-types check": "reads a file or a folder",
    "event-types export": "writes the file of what was published",
    "event-types list": "reads",
    "imports tidy": "deletes files that nobody applied within a week; each was begun with an entry",
    "exercises check": "reads a folder",
    "exercises export": "writes a folder of published text, which names nobody",
    "exercises list": "reads",
    "modules check": "reads a folder",
    "recommendations check": "reads a file or a folder",
    "recommendations export": "writes the file of what was published",
    "recommendations list": "reads",
    "tokens list": "reads",
    "doctor": "reads and asks; changes nothing",
    "version": "prints what runs",
}
ROUTES_WITHOUT |= {name: why for name, why in merge("WITHOUT_ENTRY").items() if "." in name}
COMMANDS_WITHOUT |= {name: why for name, why in merge("WITHOUT_ENTRY").items() if "." not in name}


@cache
def references() -> dict[Name, frozenset[Name]]:
    """What each function and class of the portal refers to."""
    found: dict[Name, frozenset[Name]] = {}
    for path in PORTAL.rglob("*.py"):
        module = ".".join(path.relative_to(PORTAL.parent).with_suffix("").parts).removesuffix(".__init__")
        tree = ast.parse(path.read_text())
        names = dict(_imported(tree, module))
        own = [node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)]
        names |= {node.name: (module, node.name) for node in own}
        for node in own:
            found[module, node.name] = frozenset(_referred(node, names))
    return found


def _imported(tree: ast.Module, module: str) -> Iterator[tuple[str, Name]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("portal"):
            for alias in node.names:
                yield alias.asname or alias.name, (node.module, alias.name)


def _referred(node: ast.AST, names: dict[str, Name]) -> Iterator[Name]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name) and part.id in names:
            yield names[part.id]
        elif isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in names:
            package, module = names[part.value.id]
            yield f"{package}.{module}", part.attr


def reaches_trail(start: Name) -> bool:
    """Whether the code of a function comes to the audit trail."""
    seen, waiting = {start}, [start]
    while waiting:
        following = references().get(waiting.pop(), frozenset())
        if following & TRAIL:
            return True
        waiting += following - seen
        seen |= following
    return False


def name_of(function: object) -> Name:
    plain = inspect.unwrap(function)  # type: ignore[arg-type]
    return plain.__module__, plain.__qualname__.split(".")[0]


def commands_of(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands_of(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


@pytest.mark.slow
def test_every_route_that_takes_a_form_comes_to_the_audit_trail(app: Flask) -> None:
    endpoints = {rule.endpoint for rule in app.url_map.iter_rules() if "POST" in (rule.methods or ())}
    silent = {one for one in endpoints if not reaches_trail(name_of(app.view_functions[one]))}

    assert len(endpoints) > 50
    assert silent == set(ROUTES_WITHOUT)  # log what is done, or say above why it need not be


def test_every_command_comes_to_the_audit_trail(app: Flask) -> None:
    own = {
        words: command
        for words, command in commands_of(app.cli)
        if command.callback and inspect.unwrap(command.callback).__module__.startswith("portal")
    }
    silent = {words for words, command in own.items() if not reaches_trail(name_of(command.callback))}

    assert len(own) > 15
    assert silent == set(COMMANDS_WITHOUT)


def test_what_is_followed_is_real() -> None:
    assert reaches_trail(("portal.pages.people.account_views", "grant_role"))
    assert not reaches_trail(("portal.pages.people.account_views", "show_identities"))
    for module, name in [("portal.pages.people.account_views", "grant_role"), *TRAIL]:
        assert hasattr(importlib.import_module(module), name)
