"""Where the processor's time goes in a lesson, an attempt, a file and an import: ``--only profiles``.

Each is done once to warm what a process keeps, then under the profiler, in this process and by its clock of
processor time, so that other work on the machine hardly changes the shares. The profiler itself makes small
functions look dearer than they are; what counts is the order, and what is in it that need not be.
"""

import cProfile
import pstats
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from benchmarks import roster
from benchmarks.browser import ATTRIBUTE, CASE, FORM, case_button, form_fields
from benchmarks.figures import machine
from benchmarks.knowledge import SAVE, Knowledge
from benchmarks.serving import ROOT
from benchmarks.statements import signed_in
from benchmarks.world import REPORT, WHOLE_FORCE, flask, lessons, modules
from config import Config
from portal.app import create_app

FILE = Path(__file__).parent / "profiles.md"
PEOPLE, ROWS, MOVES = 500, 5_000, 700
EARLY, LEARNER = "D2001", "D1001"
LESSONS = 200
CSV = f"{REPORT}/completions.csv"
SHOWN = 15
AGAIN, NEXT, START, SUBMIT = (
    "Take this module again",
    "Mark as complete and continue",
    "Start assessment",
    "Submit answers",
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What one thing costs."""

    what: str
    times: int
    stats: dict[tuple[str, int, str], tuple[int, int, float, float, Any]]

    @property
    def seconds(self) -> float:
        """Processor seconds of all."""
        return sum(own for _, _, own, _, _ in self.stats.values())

    def by_library(self) -> list[tuple[str, float]]:
        """Shares of own time, the largest first."""
        sums: dict[str, float] = defaultdict(float)
        for (file, _, name), (_, _, own, _, _) in self.stats.items():
            sums[_library(file, name)] += own
        return sorted(((name, own / self.seconds) for name, own in sums.items()), key=lambda pair: -pair[1])

    def dearest(self, column: int) -> list[tuple[str, float, int]]:
        """Functions with their share by own time (2) or with all they call (3), and their calls."""
        rows = sorted(self.stats.items(), key=lambda pair: -pair[1][column])
        if column == 3:
            rows = [row for row in rows if f"{ROOT}/portal/" in row[0][0]]
        return [(_place(*key), row[column] / self.seconds, row[1]) for key, row in rows[:SHOWN]]


class Profiled:
    """A WSGI layer that lets the profiler see the portal, and nothing of the client that asks it."""

    def __init__(self, app: Flask) -> None:
        self.inner, self.profiler = app.wsgi_app, cProfile.Profile(time.process_time)
        app.wsgi_app = self  # type: ignore[method-assign]

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        """One request, with all of its body."""
        self.profiler.enable()
        try:
            return [b"".join(self.inner(environ, start_response))]
        finally:
            self.profiler.disable()

    def take(self, what: str, times: int) -> Profile:
        """What was seen since the last was taken."""
        stats = pstats.Stats(self.profiler).stats  # type: ignore[attr-defined]
        self.profiler = cProfile.Profile(time.process_time)
        return Profile(what, times, stats)


def measure() -> list[Profile]:
    """All four; kept in ``profiles.md``."""
    with tempfile.TemporaryDirectory(prefix="portal-bench-") as folder:
        instance, first, monthly = (Path(folder) / name for name in ("instance", "first.csv", "monthly.csv"))
        instance.mkdir(mode=0o700)
        flask(instance, "db", "upgrade")
        flask(instance, "demo", "create", "--people", str(PEOPLE))
        roster.write(first, rows=ROWS)
        roster.write_moved(monthly, first, MOVES)
        app = create_app(Config(mode="demo", instance=instance, database_url=""))
        with app.app_context():
            password = (instance / "demo_password").read_text().strip()
        found = _pages(app, password, lambda: flask(instance, "people", "import", str(first)))
        found.append(_import(app, monthly))
    FILE.write_text(text(found), encoding="utf-8")
    return found


def _pages(app: Flask, password: str, load: Callable[[], object]) -> list[Profile]:
    """What is asked for by HTTP, once to warm what a process keeps and then under the profiler."""
    profiled, knowledge = Profiled(app), Knowledge(ROOT / "modules")
    early, learner, manager = (signed_in(app, who, password) for who in (EARLY, LEARNER, WHOLE_FORCE))
    path = f"/learning/modules/recognise/lessons/{lessons('recognise')[0]}"
    slugs = modules()
    for client in (early, learner):
        for slug in slugs:
            _learn(client, slug)
    for slug in slugs:
        _pass(early, slug, knowledge)
    profiled.take("", 1)
    for _ in range(LESSONS):
        _get(learner, path)
    found = [profiled.take("a lesson, seen before", LESSONS)]
    for slug in slugs:
        _pass(learner, slug, knowledge)
    found.append(profiled.take("an attempt of twelve items that passes", len(slugs)))
    load()
    _get(manager, CSV)
    profiled.take("", 1)
    _get(manager, CSV)
    return [*found, profiled.take(f"the completion file, {4 * ROWS:,} rows", 1)]


def _import(app: Flask, file: Path) -> Profile:
    profiler, runner = cProfile.Profile(time.process_time), app.test_cli_runner()
    profiler.enable()
    runner.invoke(args=["people", "import", str(file)], catch_exceptions=False)
    profiler.disable()
    stats = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    return Profile(f"an import of {ROWS:,} people of whom {MOVES:,} move", 1, stats)


def _learn(client: FlaskClient, slug: str) -> None:
    here = f"/learning/modules/{slug}"
    if AGAIN in (html := _get(client, here)):
        _press(client, here, html, AGAIN)
    for key in lessons(slug):
        path = f"{here}/lessons/{key}"
        html = _get(client, path)
        while CASE in html:
            path, html = _press(client, path, html, case_button(html))
        if NEXT in html:
            _press(client, path, html, NEXT)


def _pass(client: FlaskClient, slug: str, knowledge: Knowledge) -> None:
    here = f"/learning/modules/{slug}"
    path, html = _press(client, here, _get(client, here), START)
    while SAVE in html:
        path, html = _follow(client, client.post(path, data=_multi(knowledge.choose(html).fields)))
    _, html = _press(client, path, html, SUBMIT)
    if "You passed" not in html:
        raise RuntimeError(f"{slug}: not passed")


def _multi(fields: list[tuple[str, str]]) -> dict[str, list[str]]:
    data: dict[str, list[str]] = defaultdict(list)
    for name, value in fields:
        data[name].append(value)
    return data


def _get(client: FlaskClient, path: str) -> str:
    return _follow(client, client.get(path, buffered=True))[1]


def _press(client: FlaskClient, path: str, html: str, button: str) -> tuple[str, str]:
    head, inside = next(pair for pair in FORM.findall(html) if button in pair[1])
    action = dict(ATTRIBUTE.findall(head)).get("action") or path
    return _follow(client, client.post(action, data=form_fields(inside, button)))


def _follow(client: FlaskClient, response: Any) -> tuple[str, str]:
    for _ in range(5):
        if response.status_code not in (302, 303):
            break
        response = client.get(response.location, buffered=True)
    if response.status_code != 200:
        raise RuntimeError(f"{response.request.path}: {response.status_code}")
    return response.request.path, response.get_data(as_text=True)


def _library(file: str, name: str) -> str:
    if file == "~":
        return f"in C: {_owner(name)}"
    path = file.removeprefix(f"{ROOT}/")
    if path.startswith("portal/"):
        return "/".join(path.split("/")[:3]) if path.count("/") > 2 else "portal"
    if "site-packages/" in path:
        return path.partition("site-packages/")[2].partition("/")[0]
    return "a template" if path.endswith(".html") else "the standard library and this bench"


def _owner(name: str) -> str:
    """Whose a built-in function is, as far as its name says it."""
    for owner in ("sqlite3", "psycopg", "sqlalchemy", "_json", "re.Pattern", "zlib", "_hashlib"):
        if owner in name:
            return owner
    return "Python"


def _place(file: str, line: int, name: str) -> str:
    if file == "~":
        return name.strip("<>")
    short = file.removeprefix(f"{ROOT}/")
    short = short.partition("site-packages/")[2] or short
    return f"{short.removeprefix('.venv/')}:{line} {name}"


def text(profiles: list[Profile]) -> str:
    """The document."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    about = ", ".join(f"{key} {value}" for key, value in machine().items())
    parts = [f'# Where the time goes\n\nBy `make bench BENCH="--only profiles"`, {at}; {about}.\n']
    for profile in profiles:
        each = 1000 * profile.seconds / profile.times
        parts.append(f"## {profile.what[0].upper()}{profile.what[1:]}\n")
        parts.append(f"{each:,.1f} ms of processor time each under the profiler, over {profile.times}.\n")
        shares = [f"{name} {100 * share:.0f} %" for name, share in profile.by_library() if share >= 0.01]
        parts.append(f"Own time by library: {', '.join(shares)}.\n")
        for heading, column in (("By own time", 2), ("Of the portal, with all they call", 3)):
            parts.append(f"| {heading} | Share | Calls each |\n|---|--:|--:|")
            parts += [
                f"| `{place.replace('|', '¦')}` | {100 * share:.1f} % | {calls / profile.times:,.1f} |"
                for place, share, calls in profile.dearest(column)
            ]
            parts.append("")
    return "\n".join(parts).rstrip() + "\n"
