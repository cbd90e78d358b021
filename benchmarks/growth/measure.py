"""(w) All dimensions, and the files of their figures beside this one."""

import json
import shutil
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from math import ceil, floor, log10
from pathlib import Path
from typing import Any

from benchmarks.drawn import Chart, Line, small_multiples
from benchmarks.figures import Figure, machine
from benchmarks.growth import lines
from benchmarks.growth.inside import in_process
from benchmarks.growth.made import forces
from benchmarks.growth.plan import BULK, DIMENSIONS, FLAT, LINEAR, PAGES, Dimension, Reading
from benchmarks.growth.slopes import MORE_STATEMENTS, STEEP, Slope, slopes_of

HERE = Path(__file__).parent
QUICK_TIMES = 2
GROUPS = {"pages": PAGES, "files and changes": BULK}


def measure(quick: bool = False, notes: Sequence[str] = ()) -> list[Figure]:
    """Measure each size of each dimension; kept beside this file unless the sizes are the small ones."""
    readings = read_all(quick)
    if not quick:
        write(readings, machine(), notes)
    return figures(readings)


def read_all(quick: bool) -> list[Reading]:
    """Every line of every force, each force on a copy and in a process of its own."""
    readings: list[Reading] = []
    with tempfile.TemporaryDirectory(prefix="portal-growth-") as folder:
        copy = Path(folder) / "measured"
        for force in forces(Path(folder), quick):
            begun = time.perf_counter()
            shutil.copytree(force.instance, copy)
            times = QUICK_TIMES if quick else lines.TIMES
            readings += in_process(
                lines.measure, force.dimension.key, force.size, copy, force.days_ago, times
            )
            shutil.rmtree(copy)
            seconds = time.perf_counter() - begun
            print(f"measured {force.size:,} {force.dimension.across} in {seconds:.0f} s", flush=True)
    return readings


def figures(readings: Sequence[Reading]) -> list[Figure]:
    """The exponents, and how many statements more a page sends; both may fail the run."""
    found = []
    for dimension in DIMENSIONS:
        for slope in slopes_of(dimension, readings):
            what = f"{dimension.title.lower()}: {slope.line}"
            exponent = Figure(
                "w", f"{what}, exponent", slope.exponent, "",
                judged=slope.exponent, target=slope.most, fails_build=True,
            )  # fmt: skip
            found.append(exponent)
            if slope.more_statements is not None:
                found.append(_statements(what, slope.readings[-1].statements, slope.more_statements))
    return found


def _statements(what: str, count: int, more: int) -> Figure:
    return Figure(
        "w", f"{what}, statements", count, "statements",
        judged=more, judged_unit="more", target=MORE_STATEMENTS, fails_build=True,
    )  # fmt: skip


def write(readings: Sequence[Reading], about: dict[str, Any], notes: Sequence[str] = ()) -> None:
    """``latest.md``, ``latest.json`` and ``latest.svg``, beside this file."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = {dimension: slopes_of(dimension, readings) for dimension in DIMENSIONS}
    data = {"measured_at": at, "about": about, "readings": [asdict(each) for each in readings]}
    (HERE / "latest.json").write_text(json.dumps({**data, "notes": list(notes)}, indent=1) + "\n", "utf-8")
    (HERE / "latest.svg").write_text(picture(found), "utf-8")
    (HERE / "latest.md").write_text(text(found, at, about, notes), "utf-8")


def picture(found: dict[Dimension, list[Slope]]) -> str:
    """Two charts for each dimension; all of a column have one axis."""
    columns = [_charts(found, words, group) for words, group in GROUPS.items()]
    charts = [chart for row in zip(*columns, strict=True) for chart in row]
    return small_multiples("How costs grow: processor time by size; the number is the exponent", charts)


def _charts(found: dict[Dimension, list[Slope]], words: str, group: Sequence[str]) -> list[Chart]:
    some = {key: [slope for slope in slopes if slope.line in group] for key, slopes in found.items()}
    values = [r.milliseconds for slopes in some.values() for slope in slopes for r in slope.readings]
    powers = 10.0 ** floor(log10(min(values))), 10.0 ** ceil(log10(max(values)))
    return [
        Chart(f"{dimension.title}: {words}", "ms", dimension.across, _lines(slopes), powers=powers)
        for dimension, slopes in some.items()
    ]


def _lines(slopes: Sequence[Slope]) -> list[Line]:
    return [
        Line(
            f"{slope.line} {_slope(slope.exponent)}",
            [(reading.size, reading.milliseconds) for reading in slope.readings],
            noticed=slope.steepens or not slope.as_it_should,
        )
        for slope in slopes
    ]


def text(
    found: dict[Dimension, list[Slope]], at: str, about: dict[str, Any], notes: Sequence[str] = ()
) -> str:
    """The document."""
    words = ", ".join(f"{name} {value}" for name, value in about.items())
    every = [slope for slopes in found.values() for slope in slopes]
    wrong = [slope for slope in every if slope.steepens or not slope.as_it_should]
    parts = [
        f"# How costs grow\n\nMeasured {at}; {words}.\n",
        "Milliseconds of processor time, the portal and SQLite together in one process; the least of some.",
        f"A slope of 0 is flat, of 1 linear. Pages must stay flat (at most {FLAT}), but for those that list",
        f"what grows; all else may grow as fast as its size (at most {LINEAR}). A page's statements stay as",
        f"many. What fails that, or grows faster than its size in the last step alone (above {STEEP}), is in",
        "bold, here and in the picture.\n",
        "![Processor time by size, two charts for each dimension](latest.svg)\n",
        *(f"- **{slope.dimension.title}: {slope.line}**: {slope.verdict}" for slope in wrong),
        *([] if wrong else ["All grow as they should."]),
        *(f"- {note}" for note in notes),
        *(_table(dimension, slopes) for dimension, slopes in found.items()),
    ]
    return "\n".join(parts).strip() + "\n"


def _table(dimension: Dimension, slopes: Sequence[Slope]) -> str:
    sizes = sorted({reading.size for slope in slopes for reading in slope.readings})
    heads = [f"{size:,}" for size in sizes]
    rows = [f"\n## {dimension.title}\n\nBy {dimension.across}.\n"]
    rows.append(f"| ms | {' | '.join(heads)} | Slope | Last step | Statements | |")
    rows.append(f"|---|{'--:|' * (len(heads) + 3)}---|")
    return "\n".join([*rows, *(_row(slope, sizes) for slope in slopes)])


def _row(slope: Slope, sizes: Sequence[int]) -> str:
    by_size = {reading.size: reading for reading in slope.readings}
    cells = [f"{by_size[size].milliseconds:,.3g}" if size in by_size else "" for size in sizes]
    cells = [cell if "e" not in cell else f"{float(cell):,.0f}" for cell in cells]
    counts = f"{slope.readings[0].statements} to {slope.readings[-1].statements}"
    is_right = slope.as_it_should and not slope.steepens
    verdict = slope.verdict if is_right else f"**{slope.verdict}**"
    numbers = (_slope(slope.exponent), _slope(slope.last_step), counts, verdict)
    return f"| {' | '.join((slope.line, *cells, *numbers))} |"


def _slope(exponent: float) -> str:
    return f"{round(exponent, 2) + 0.0:.2f}"  # never -0.00
