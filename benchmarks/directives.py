"""(p) Preview of a change of a directive's rule over 15,000 people, beside reading the facts it rests on."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

from sqlalchemy import select

from benchmarks import roster
from benchmarks.figures import Figure
from benchmarks.world import flask
from config import Config
from portal.app import create_app
from portal.domain.directives.applies import RuleHistory, load_assignments, load_posts, split_into_batches
from portal.domain.directives.changes import propose_version, propose_withdrawal
from portal.domain.directives.files import DirectiveFile
from portal.domain.directives.queries import get_directive
from portal.domain.people.models import Person
from portal.platform.db import db


def measure() -> list[Figure]:
    """A later due date for all, a role less, a unit's exception, and a withdrawal."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        instance, file = Path(folder) / "instance", Path(folder) / "roster.csv"
        instance.mkdir(mode=0o700)
        roster.write(file)
        flask(instance, "db", "upgrade")
        flask(instance, "people", "import", str(file))
        flask(instance, "modules", "publish", "modules")
        flask(instance, "directives", "issue", str(roster.directive_file(Path(folder))))
        app = create_app(Config(mode="demo", secret_key="x" * 64, instance=instance))
        with app.app_context():
            return _previews()


def _previews() -> list[Figure]:
    held = get_directive("OIC-2026").newest.file
    later = replace(held, effective_on=date(2027, 1, 1))
    roles = held.audience[0]["designated_role"]
    fewer = [{"designated_role": roles[1:]}]
    without = [{"unit_under": ["Westshire Police/Command 1"]}]
    changes = {
        "a later due date": replace(later, due_fixed_on=date(2027, 4, 30)),
        "a role less": replace(later, audience=fewer),
        "a command left out": replace(later, exceptions=without),
    }
    floor = _seconds(_read)
    figures = [_figure(what, floor, partial(_effect, said)) for what, said in changes.items()]
    return [
        *figures,
        _figure(
            "a withdrawal", floor, lambda: propose_withdrawal("OIC-2026", date(2027, 1, 1)).compute_effect()
        ),
    ]


def _effect(file: DirectiveFile) -> object:
    return propose_version(file).compute_effect()


def _figure(what: str, floor: float, act: Callable[[], object]) -> Figure:
    value = _seconds(act)
    name = f"preview of {what} over {roster.ROWS:,} people"
    return Figure("p", name, value, "s", floor, "reading posts and assignments", value, "s", 5)


def _read() -> None:
    history = RuleHistory()
    for ids in split_into_batches(db.session.scalars(select(Person.id).order_by(Person.id))):
        load_posts(ids), load_assignments(ids, history)


def _seconds(act: Callable[[], object]) -> float:
    begun = time.perf_counter()
    act()
    return time.perf_counter() - begun
