"""The forces, each made by the product's own commands; those of one dimension differ only in it."""

import csv
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import cycle, islice
from pathlib import Path

from benchmarks import roster
from benchmarks.growth.inside import command, in_process, portal
from benchmarks.growth.lines import write_directive
from benchmarks.growth.plan import DIMENSIONS, Dimension
from benchmarks.multiply import multiply
from benchmarks.serving import ROOT
from benchmarks.world import execute, flask, modules
from portal.domain.status.tasks import check_counts
from portal.platform import clock
from portal.platform.db import transaction

BASE, SMALL = 1_075, 60  # people that the demo's command makes
ROSTERED = 2_000  # people whose units grow
MOVING = 300  # of whom some move on each day
MOVES_A_DAY = 2
TEAMS = [f"Westshire Police/Response/Response North/Team {letter}" for letter in "ABCD"]
LEARNERS = """SELECT staff_number FROM person_name WHERE staff_number LIKE 'W%' ORDER BY person_id LIMIT ?"""
MOVERS = """
    SELECT n.staff_number, n.surname, n.forenames, n.email FROM person_name n
    JOIN post p ON p.person_id = n.person_id
    WHERE n.staff_number LIKE 'W%' AND p.designated_role = 'response' AND p.valid_to = '9999-12-31'
      AND NOT p.void AND NOT EXISTS (SELECT 1 FROM post r WHERE r.replaces_id = p.id) ORDER BY n.person_id"""


@dataclass(frozen=True, slots=True)
class Force:
    """A force of one size, to be measured on a copy."""

    dimension: Dimension
    size: int
    instance: Path
    days_ago: int = 0  # how long before today its history ends


def forces(folder: Path, quick: bool) -> Iterator[Force]:
    """One after the other; each is as it was made until the next is asked for."""
    base = SMALL if quick else BASE
    empty, first = folder / "empty", folder / "first"
    empty.mkdir(mode=0o700)
    flask(empty, "db", "upgrade")
    _make_demo(empty, first, base)
    small = first if quick else _make_demo(empty, folder / "small", SMALL)
    people, directives, more_modules, units, days, late = DIMENSIONS

    def sizes(dimension: Dimension) -> tuple[int, ...]:
        return dimension.quick if quick else dimension.sizes

    for size in sizes(people):
        yield Force(people, size, _grown(first, folder / f"people-{size}", size // base))
    grown = _copied(first, folder / "directives")
    for fewer, size in zip((1, *sizes(directives)), sizes(directives), strict=False):
        in_process(_issue, grown, range(fewer, size))
        yield Force(directives, size, grown)
    grown = _copied(first, folder / "modules")
    for size in sizes(more_modules):
        in_process(_publish, grown, size)
        yield Force(more_modules, size, grown)
    for size in sizes(units):
        grown = _copied(small, folder / f"units-{size}")
        in_process(_import_units, grown, size, ROSTERED // 10 if quick else ROSTERED)
        yield Force(units, size, grown)
    yield from _daily(days, sizes(days), empty, SMALL if quick else MOVING)
    for size in sizes(late):
        grown = _grown(first, folder / f"late-{size}", 4)
        in_process(_import_completions, grown, size)
        yield Force(late, size, grown)


def _make_demo(empty: Path, instance: Path, people: int, days_ago: int = 0) -> Path:
    """The demo's force of so many people, in a copy of the empty folder, its history ending that day."""
    in_process(_create, _copied(empty, instance), people, days_ago)
    return instance


def _create(instance: Path, people: int, days_ago: int) -> None:
    with portal(instance, days_ago) as (app, _):
        command(app, "demo", "create", "--people", str(people))


def _copied(made: Path, instance: Path) -> Path:
    shutil.copytree(made, instance)
    return instance


def _grown(made: Path, instance: Path, times: int) -> Path:
    """The force with so many people of each."""
    _copied(made, instance)
    if times > 1:
        multiply(instance / "portal.sqlite", times)
        in_process(_sum_up, instance)
    return instance


def _sum_up(instance: Path) -> None:
    """Count the kept sums anew, as ``directives reconcile`` does: the copies are in none."""
    with portal(instance) as (app, _), app.app_context(), transaction():
        check_counts(True)


def _issue(instance: Path, numbers: range) -> None:
    file = instance / "directive.toml"
    with portal(instance) as (app, _):
        for number in numbers:
            write_directive(file, f"GROWN-{number}")
            command(app, "directives", "issue", str(file))


def _publish(instance: Path, size: int) -> None:
    """Publish the demo's modules and copies of them under other slugs, until there are so many."""
    source = instance / "modules"
    shutil.rmtree(source, ignore_errors=True)
    shutil.copytree(ROOT / "modules", source)
    slugs = modules()
    for number, slug in enumerate(islice(cycle(slugs), size - len(slugs))):
        copy = shutil.copytree(source / slug, source / f"{slug}-{number}")
        file = copy / "module.toml"
        words = file.read_text("utf-8")
        title = tomllib.loads(words)["title"]
        file.write_text(
            words.replace(f'key = "{slug}"', f'key = "{slug}-{number}"', 1)
            .replace(f'title = "{title}"', f'title = "{title} ({number})"', 1),
            "utf-8",
        )  # fmt: skip
    with portal(instance) as (app, _):
        command(app, "modules", "publish", str(source))


def _import_units(instance: Path, size: int, rows: int) -> None:
    """Import a roster whose people work in as many teams as it takes to have so many units."""
    file = instance / "roster.csv"
    above = 41  # divisions and commands of a roster; the force is there already
    have = execute(instance, "SELECT count(*) FROM unit")[0][0]
    roster.write(file, rows=rows, teams=max(size - have - above, 1))
    with portal(instance) as (app, _):
        command(app, "people", "import", str(file))


def _daily(dimension: Dimension, sizes: tuple[int, ...], empty: Path, people: int) -> Iterator[Force]:
    """A roster of all who move on each day; the force is measured at the days between."""
    ahead = sizes[-1]
    instance = _make_demo(empty, empty.with_name("days"), people, ahead)
    for fewer, size in zip((0, *sizes), sizes, strict=False):
        in_process(_import_days, instance, ahead - fewer, ahead - size, fewer)
        yield Force(dimension, size, instance, ahead - size)


def _import_days(instance: Path, days_ago: int, until: int, done: int) -> None:
    """Let days pass, on each of which a few people go to another team."""
    file = instance / "daily.csv"
    movers = execute(instance, MOVERS)
    with portal(instance, days_ago) as (app, calendar):
        while calendar.days_ago > until:
            calendar.days_ago -= 1
            done += 1
            with file.open("w", newline="", encoding="utf-8") as out:
                writer = csv.writer(out)
                writer.writerow(roster.COLUMNS)
                for turn in range(done * MOVES_A_DAY, (done + 1) * MOVES_A_DAY):
                    round_of_all, place = divmod(turn, len(movers))
                    team = TEAMS[(round_of_all + place) % len(TEAMS)]
                    writer.writerow((*movers[place], "Constable", "response", team, "", clock.today(), ""))
            command(app, "people", "import", str(file))


def _import_completions(instance: Path, size: int) -> None:
    """Import completions of 200 days ago that nobody has known of."""
    file = instance / "completions.csv"
    slugs = modules()
    people = [row[0] for row in execute(instance, LEARNERS, -(-size // len(slugs)))]
    day = clock.today() - timedelta(days=200)
    with file.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        header = "staff_number,requirement_kind,requirement,achieved_at,score_scaled,source_system,evidence"
        writer.writerow(header.split(","))
        pairs = ((who, slug) for who in people for slug in slugs)
        for who, slug in islice(pairs, size):
            writer.writerow((who, "module", slug, day, "0.9", "Old system", "Certificate"))
    with portal(instance) as (app, _):
        command(app, "records", "import", str(file))
