"""Writes what the portal shows, sends and holds into a folder of plain texts, in the demo at a fixed instant.

Each page is met by every person of the demo; files, mails, the API, the schema and the help of each command
stand beside them. Each person, and each kind beside the pages, is a part with a copy of the database of its
own, so that none is changed by what another did, and two processes share them out.
"""

import multiprocessing
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from flask import Flask

from tests.golden.interfaces import record_commands, record_interfaces, record_mails
from tests.golden.pages import record_nobody, record_person
from tests.golden.schema import record_postgresql, record_sqlite
from tests.golden.states import make_states
from tests.golden.visiting import PEOPLE, SEED, portal_at, run
from tests.golden.writing import Record
from tests.journeys.places import ROLES

PROCESSES = 2
# What takes longest comes first.
PARTS: dict[str, Callable[[Record, Flask, Path, dict[str, str]], None]] = {
    **{
        number: partial(record_person, number=number)
        for number in ("D9001", "D4001", *(number for number in ROLES if number not in ("D9001", "D4001")))
    },
    "mails": record_mails,
    "postgresql": record_postgresql,
    "interfaces": record_interfaces,
    "commands": record_commands,
    "sqlite": record_sqlite,
    "nobody": record_nobody,
}


def record(folder: Path) -> Counter[str]:
    """Write the whole record into a folder, which is emptied first; how many texts there are of each kind.

    What the portal logs meanwhile stands in a file beside the folder.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = folder.with_suffix(".log")
    with tempfile.TemporaryDirectory(prefix="portal-golden-") as place, logged_to(log):
        made = make_force(Path(place))
        context = multiprocessing.get_context("fork")
        with context.Pool(PROCESSES, maxtasksperchild=1) as pool:
            list(pool.imap_unordered(partial(record_part, folder, Path(place), made), PARTS))
    return Counter(str(path.relative_to(folder).parts[0]) for path in folder.rglob("*.txt"))


@contextmanager
def logged_to(path: Path) -> Iterator[None]:
    """What this process and its children write to standard error goes to a file."""
    kept = os.dup(2)
    with path.open("wb") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def make_force(instance: Path) -> dict[str, str]:
    """Make the demo, and the states that pages show; what addresses name."""
    with portal_at(instance) as app:
        run(app, "db", "upgrade")
        run(app, "demo", "create", "--people", str(PEOPLE), "--seed", str(SEED))
        return make_states(app, instance)


def record_part(folder: Path, place: Path, made: dict[str, str], part: str) -> None:
    """Write one part, on a copy of the database that goes with it."""
    with tempfile.TemporaryDirectory(prefix="portal-golden-") as own:
        instance = Path(shutil.copytree(place, Path(own) / "instance"))
        with portal_at(instance) as app:
            app.extensions["schema_watch"].reason_to_wait()
            PARTS[part](Record(folder), app, instance, made)
