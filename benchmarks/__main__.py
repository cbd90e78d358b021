"""``python -m benchmarks``: every measure, or those of ``--only``; exit 1 where a ratio or count misses."""

import argparse
import sqlite3
import sys
import traceback
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from benchmarks import (
    attempts,
    completions,
    directives,
    exercise,
    files,
    first_loads,
    imports,
    journeys,
    lesson,
    memory,
    profiles,
    reminders,
    report,
    roster,
)
from benchmarks.figures import Figure, table, write
from benchmarks.growth import measure as growth
from benchmarks.hour import measure as hour
from benchmarks.hour import plan
from benchmarks.hour.plan import Plan, all_ways
from benchmarks.nation import measure as nation
from benchmarks.serving import Watch
from benchmarks.world import World, build, world

PEOPLE = 17_200  # of whom about 15,000 are in the directive's audience: 60,000 rows
SERVED = {
    "a": lesson.measure,
    "b": attempts.measure,
    "c": completions.measure,
    "d": report.measure,
}
WORDS = {"hour": "h", "growth": "w", "exercise": "y"}
# Each with a force of its own:
ALONE = {
    "f": roster.measure,
    "i": imports.measure,
    "j": journeys.measure,
    "p": directives.measure,
    "r": reminders.measure,
    "y": exercise.measure,
}


def main() -> int:
    """Measure, print the table, and keep it when everything was measured."""
    asked = _arguments()
    if asked.only == "profiles":
        print(profiles.text(profiles.measure()))
        return 0
    only = {*WORDS.get(asked.only, asked.only), *("n" if asked.large else "")}
    if asked.keep and not asked.instance:
        asked.keep.mkdir(mode=0o700, parents=True)
        print(f"made in {build(asked.keep, asked.people):.0f} s")
        asked.instance = asked.keep
    found: list[Figure] = []
    size: dict[str, int] = {}
    if only & {*SERVED, "e", "x"}:
        with world(asked.people, asked.instance) as served:
            size = _size(served)
            found += _served(served, only)
    alone: dict[str, Callable[[], list[Figure]]] = {
        **ALONE,
        "g": partial(first_loads.measure, asked.large),
        "h": partial(hour.measure, _hours(asked), asked.note),
        "n": partial(nation.measure, asked.nation, asked.note),
        "w": partial(growth.measure, asked.growth_quick, asked.note),
    }
    apart, failed = _measure_apart({part: alone[part] for part in sorted(only & {*alone})})
    found += apart
    found.sort(key=lambda figure: figure.part)
    print(table(found))
    if not only & {*"hnw"}:
        print("The hour when everyone comes, and growth, take half an hour each: --only hour, --only growth.")
        print("A nation on PostgreSQL takes the better part of an hour: --only n, or --large.")
    if failed:
        print(f"Not measured, because it failed: {', '.join(failed)}. Nothing is kept.")
    elif only >= {*"abcdefgijprx"} or asked.write:
        write(found, asked.note, size)
    return int(bool(failed) or any(figure.met is False and figure.fails_build for figure in found))


def _measure_apart(measures: dict[str, Callable[[], list[Figure]]]) -> tuple[list[Figure], list[str]]:
    """The figures of measures with a force of their own, and the letters of those that failed.

    What the others found in half an hour is shown all the same.
    """
    found: list[Figure] = []
    failed = []
    for part, measure in measures.items():
        print(f"measuring {part}", flush=True)
        try:
            found += measure()
        except Exception:
            traceback.print_exc()
            failed.append(part)
    return found, failed


def _served(served: World, only: set[str]) -> list[Figure]:
    found: list[Figure] = []
    with Watch(served.server) as watch:
        for part in sorted({*SERVED} & only):
            print(f"measuring {part}", flush=True)
            found += SERVED[part](served)
    if "x" in only:  # its jobs say themselves what memory they took
        print("measuring x", flush=True)
        found += files.measure(served)
    if "e" in only:
        floor = next((figure.value for figure in found if figure.part == "e"), None)
        found = [figure for figure in found if figure.part != "e"]
        found += memory.measure(watch, floor)
    return found


def _size(served: World) -> dict[str, int]:
    with closing(sqlite3.connect(served.database)) as connection:
        counts = {
            name: connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0]
            for name in ("person", "registration", "record", "status_period")
        }
    return {**counts, "MiB": served.database.stat().st_size // 2**20}


def _hours(asked: argparse.Namespace) -> list[Plan]:
    """Passwords on both databases and, once, single sign-on; or what was asked for."""
    ways = [(each.postgresql, each.by_provider) for each in all_ways(Plan())]
    if asked.hour_on and asked.hour_by:
        ways = [(asked.hour_on == "postgresql", asked.hour_by == "provider")]
    return [
        Plan(asked.hour_people, asked.hour_force, asked.hour_slower, by_provider, postgresql)
        for postgresql, by_provider in ways
        if asked.hour_on in (None, "postgresql" if postgresql else "sqlite")
        and asked.hour_by in (None, "provider" if by_provider else "passwords")
    ]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--only", default="abcdefgijprx", help="letters of the measures, such as ad; or a word of the README"
    )
    parser.add_argument("--people", type=int, default=PEOPLE)
    parser.add_argument("--keep", type=Path, help="make the force in this new folder and keep it")
    parser.add_argument("--instance", type=Path, help="copy this folder, kept earlier, instead")
    parser.add_argument("--large", action="store_true", help="with g, 100,000 rows as a job; and n as well")
    parser.add_argument("--nation", type=Path, help="for n: use the nation kept in this folder, or keep it")
    hours = parser.add_argument_group("the hour when everyone comes")
    hours.add_argument(
        "--hour-people", type=int, default=plan.OFFICERS, help="officers; fewer come at the same rate"
    )
    hours.add_argument("--hour-force", type=int, default=plan.FORCE, help="people of the force")
    hours.add_argument("--hour-slower", type=float, default=1, help="stretch thinking, for a slow machine")
    hours.add_argument("--hour-on", choices=("sqlite", "postgresql"), help="one database alone")
    hours.add_argument("--hour-by", choices=("passwords", "provider"), help="one way to sign in alone")
    parser.add_argument("--growth-quick", action="store_true", help="with growth, small sizes: two minutes")
    parser.add_argument("--write", action="store_true", help="keep the figures though some are missing")
    parser.add_argument("--note", action="append", default=[], help="a sentence below the table")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
