"""What is measured of a force: pages by its WSGI application, files and changes by its commands."""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from benchmarks import roster
from benchmarks.growth import plan
from benchmarks.growth.inside import command, portal
from benchmarks.growth.plan import Reading
from benchmarks.statements import NOT_READS, signed_in
from benchmarks.world import EIGHT, REPORT, WHOLE_FORCE, lessons
from portal.demo.create import directive_file
from portal.domain.people.models import PersonName
from portal.domain.records.models import Record
from portal.domain.status.tasks import add_missing_snapshots
from portal.platform import clock
from portal.platform.db import db, transaction

TIMES, SECONDS = 12, 2.0  # each line so often, or so long where that is less, but once at least
PASSED = "D2002"  # has passed all modules of the demo
TEAM = "Westshire Police/Response/Response North/Team A"
Act = Callable[[], object]


def measure(dimension: str, size: int, instance: Path, days_ago: int, times: int = TIMES) -> list[Reading]:
    """Every line, those that change something last."""
    with portal(instance, days_ago) as (app, _):
        with app.app_context(), transaction():
            add_missing_snapshots(clock.today())  # as a job does in its time, which has no turn here
        password = (instance / "demo_password").read_text().strip()
        learner, passed, manager = (signed_in(app, who, password) for who in (EIGHT[0], PASSED, WHOLE_FORCE))
        record = f"/records/{_newest_reference(app, PASSED)}"
        acts: dict[str, Act] = {}
        for line, (client, path) in _pages(learner, passed, record, manager).items():
            acts[line] = partial(_get, client, path)
        changes = _Changes(app, instance)
        acts |= {
            plan.FILE: partial(_get, manager, f"{REPORT}/completions.csv"),
            plan.IMPORT: changes.import_row,
            plan.ISSUE: changes.issue,
            plan.RECONCILE: partial(command, app, "directives", "reconcile", "--dry-run"),
        }
        if _count_people(app) <= plan.MOST_REBUILT:
            acts[plan.REBUILD] = partial(command, app, "directives", "reconcile", "--dry-run", "--rebuild")
        gc.freeze()  # or each collection before a timing would pass through all code and templates again
        return [Reading(dimension, size, line, *_cost(app, act, times)) for line, act in acts.items()]


def _newest_reference(app: Flask, staff_number: str) -> str:
    """The reference of somebody's newest record."""
    person = select(PersonName.person_id).where(PersonName.staff_number == staff_number).scalar_subquery()
    newest = select(Record.reference).where(Record.person_id == person).order_by(Record.id.desc()).limit(1)
    with app.app_context():
        return db.session.scalars(newest).one()


def _pages(
    learner: FlaskClient, passed: FlaskClient, record: str, manager: FlaskClient
) -> dict[str, tuple[FlaskClient, str]]:
    past = clock.today() - timedelta(days=180)
    as_at = f"{REPORT}?as_at={past}"
    known = past + timedelta(days=30)
    paths = {
        "lesson": (learner, f"/learning/modules/recognise/lessons/{lessons('recognise')[0]}"),
        plan.LEARNING: (learner, "/learning"),
        "passed module": (passed, "/learning/modules/recognise"),
        "own record": (passed, record),
        "search of lessons": (learner, "/guides?q=lorry"),
        "report, today": (manager, REPORT),
        "report, past": (manager, as_at),
        "report, as known then": (manager, f"{as_at}&as_known_on={known}"),
        plan.OVERVIEW: (manager, "/monitoring"),
        "list of people": (manager, "/people"),
        "search for a person": (manager, "/people?q=Okafor"),
    }
    return {line: paths[line] for line in plan.PAGES}


class _Changes:
    """Changes that can be made again and again, each as small as the one before."""

    def __init__(self, app: Flask, folder: Path) -> None:
        self.app, self.folder, self.number = app, folder, 0

    def import_row(self) -> None:
        """Somebody joins today."""
        self.number += 1
        name = f"G{self.number:05}"
        values = (name, "New", "One", "", "Constable", "response", TEAM, "", str(clock.today()), "")
        file = self.folder / "joiner.csv"
        file.write_text(f"{','.join(roster.COLUMNS)}\n{','.join(values)}\n", encoding="utf-8")
        command(self.app, "people", "import", str(file))

    def issue(self) -> None:
        """The directive of the force once more, under another reference."""
        self.number += 1
        file = self.folder / "directive.toml"
        write_directive(file, f"MORE-{self.number}")
        command(self.app, "directives", "issue", str(file))


def write_directive(file: Path, reference: str) -> None:
    """The demo's directive under this reference, in effect for a month."""
    content = directive_file(clock.today() - timedelta(days=30))
    file.write_bytes(content.replace(b'"OIC-2026"', f'"{reference}"'.encode()))


def _cost(app: Flask, act: Act, times: int) -> tuple[float, int]:
    """The least processor time of several in ms, and the statements of the last.

    The least, for whatever else the machine does only ever adds to it.
    """
    best, spent, statements = float("inf"), 0.0, 0
    for number in range(times + 1):
        gc.collect()
        with _counted(app) as counted:
            begun = time.process_time()
            act()
            seconds = time.process_time() - begun
        spent, statements = spent + seconds, len(counted)
        if number or seconds > SECONDS:  # the first warms what a process keeps
            best = min(best, seconds)
        if seconds > SECONDS or (number and spent > SECONDS):
            break
    return 1000 * best, statements


@contextmanager
def _counted(app: Flask) -> Iterator[list[bool]]:
    counted: list[bool] = []

    def after(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not NOT_READS.match(statement):
            counted.append(True)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield counted
    finally:
        event.remove(engine, "after_cursor_execute", after)


def _get(client: FlaskClient, path: str) -> None:
    """Ask for a page or a file, with all of its body."""
    answer = client.get(path)
    for _ in answer.response:
        pass
    answer.close()
    if answer.status_code != 200:
        raise RuntimeError(f"{path}: {answer.status_code}")


def _count_people(app: Flask) -> int:
    with app.app_context():
        return db.session.query(PersonName).count()
