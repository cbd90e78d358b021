"""How the report and its file grow with the people, at four sizes, as numbers and as pictures."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from benchmarks.drawn import Chart, Line, drawing
from benchmarks.nation import files, made, pages
from benchmarks.nation.cluster import Cluster, connected
from benchmarks.world import REPORT
from portal.domain.status.models import OPEN_KNOWN

FORCES = (3, 10, 21, made.FORCES)
ACROSS = "people in the audience"


@dataclass(frozen=True, slots=True)
class Size:
    """What was measured of one size."""

    people: int  # in the audience
    rows: int  # assigned requirements
    today: float  # ms, the report of everybody
    past: float
    one_force: float
    overview: float
    csv: float  # s
    memory: float  # MiB that the file adds to the server


def measure(cluster: Cluster, instance: Path, folder: Path) -> list[Size]:
    """One after the other, each with a server of its own; medians."""
    found = []
    for forces in FORCES:
        made.make(cluster, instance, forces)
        with made.portal(cluster, instance, forces) as nation:
            found.append(_of(nation, folder))
    return found


def _of(nation: made.Nation, folder: Path) -> Size:
    past = "&".join(f"{name}={value}" for name, value in pages.positions()["past"].items())

    def median(staff_number: str, path: str) -> float:
        with nation.browser(staff_number) as browser:
            return pages.several(partial(browser.page, path)).percentile(0.5)

    today = median(made.EVERYONE, REPORT)
    before = median(made.EVERYONE, f"{REPORT}?{past}")
    one, overview = median(made.OTHER, REPORT), median(made.EVERYONE, "/monitoring")
    seconds, memory = files.download(nation, folder / "growth.csv")
    people, rows = _counted(nation.url)
    return Size(people, rows, today, before, one, overview, seconds, memory)


def _counted(url: str) -> tuple[int, int]:
    with connected(url) as connection:
        people, rows = connection.execute(
            "SELECT count(*) FILTER (WHERE position = 0), count(*) FILTER (WHERE position > 0)"
            " FROM status_period WHERE from_on <= %(day)s AND to_on >= %(day)s AND known_to = %(open)s",
            {"day": date.today().toordinal(), "open": OPEN_KNOWN},
        ).fetchone()
    return people, rows


def pictures(sizes: Sequence[Size]) -> dict[str, str]:
    """Drawings by file name."""

    def line(name: str, field: str) -> Line:
        return Line(name, [(size.people, getattr(size, field)) for size in sizes])

    ways = [
        line("all forces, today", "today"),
        line("all forces, past", "past"),
        line("one force", "one_force"),
    ]
    return {
        "pages.svg": drawing(Chart("First page of the report, median", "ms", ACROSS, ways, pages.TARGET)),
        "file.svg": drawing(Chart("CSV of everybody", "s", ACROSS, [line("one row a requirement", "csv")])),
    }
