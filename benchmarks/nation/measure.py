"""(n) All measures of a nation, and the files of their figures beside this one."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure, machine, table
from benchmarks.nation import checked, files, growth, made, pages
from benchmarks.nation.cluster import served
from benchmarks.nation.growth import Size
from benchmarks.nation.pages import Timed

HERE = Path(__file__).parent


def measure(kept: Path | None = None, notes: Sequence[str] = ()) -> list[Figure]:
    """Make the nation, or use the one kept in a folder, and measure it: the better part of an hour."""
    with _folder(kept) as folder, served(folder / "cluster") as cluster:
        instance = folder / "instance"
        took = made.make(cluster, instance)
        url = cluster.url(made.database(made.FORCES))
        found = _checked(instance, url)
        if took is not None:
            found.append(Figure("n", "making the nation", took, "s"))
        with made.portal(cluster, instance) as nation:
            timed = [each for each, _ in pages.measure(nation)]
            found += _summed(timed) + files.measure(cluster, nation, folder)
        with made.portal(cluster, instance, jobs="embedded") as nation:
            found += files.by_jobs(nation)
        sizes = growth.measure(cluster, instance, folder)
        about = {**machine(), "postgresql": cluster.version(), **made.sizes(url)}
    write(found, timed, sizes, about, notes)
    return found


@contextmanager
def _folder(kept: Path | None) -> Iterator[Path]:
    if kept:
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="portal-nation-") as folder:
        Path(folder).chmod(0o755)  # the database's own user passes through
        yield Path(folder)


def _checked(instance: Path, url: str) -> list[Figure]:
    """What must hold before a single page is timed."""
    wrong = len(checked.replayed(instance, url))
    found = [_none(f"of {checked.PEOPLE} people, spans that are not what their facts make", wrong, "people")]
    sums = len(checked.kept(instance, url))
    found.append(_none("directives whose kept sums are not what their spans make", sums, "directives"))
    for day in (date.today(), date.today() - timedelta(days=180)):
        spans, facts = checked.totals(url, day)
        off = sum(abs(spans.get(status, 0) - facts.get(status, 0)) for status in {*spans, *facts})
        what = f"of {sum(facts.values()):,} requirements on {day}, counted otherwise over facts"
        found.append(_none(what, off, "requirements"))
    return found


def _none(what: str, value: int, unit: str) -> Figure:
    return Figure("n", what, value, unit, judged=value, judged_unit=unit, target=0, fails_build=True)


def _summed(timed: Sequence[Timed]) -> list[Figure]:
    """The slowest page of each reader and position, and how many miss the target."""
    found = []
    for reader, position in dict.fromkeys((each.reader, each.position) for each in timed):
        some = [each for each in timed if (each.reader, each.position) == (reader, position)]
        worst = max(some, key=lambda each: each.p95)
        what = f"slowest of {len(some)} report pages, {reader}, {position} ({worst.page}), p95"
        judged = Figure("n", what, worst.p95, "ms", judged=worst.p95, judged_unit="ms", target=pages.TARGET)
        found.append(judged)
        missed = sum(each.p95 > pages.TARGET for each in some)
        found.append(Figure("n", f"of these, p95 above {pages.TARGET} ms", missed, "pages"))
    return found


def write(
    found: Sequence[Figure],
    timed: Sequence[Timed],
    sizes: Sequence[Size],
    about: dict[str, Any],
    notes: Sequence[str] = (),
) -> None:
    """``latest.md``, ``latest.json`` and the pictures, beside this file."""
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    data = {
        "measured_at": at,
        "about": about,
        "figures": [{**asdict(each), "met": each.met} for each in found],
        "pages": [asdict(each) for each in timed],
        "growth": [asdict(each) for each in sizes],
        "notes": list(notes),
    }
    (HERE / "latest.json").write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    said = ", ".join(f"{name} {value}" for name, value in about.items())
    parts = [f"# A nation on PostgreSQL\n\nMeasured {at}; {said}.\n", table(found), _of_pages(timed)]
    parts += [f"- {note}" for note in notes]
    if sizes:
        parts.append(_of_sizes(sizes))
        for name, drawing in growth.pictures(sizes).items():
            (HERE / name).write_text(drawing, encoding="utf-8")
    (HERE / "latest.md").write_text("\n".join(parts).strip() + "\n", encoding="utf-8")


def _of_pages(timed: Sequence[Timed]) -> str:
    """A row a page and reader; at each position p50 / p95 and, in brackets, processor time."""
    places = list(dict.fromkeys(each.position for each in timed))
    by_key = {(each.page, each.reader, each.position): each for each in timed}
    heads = [f"{place}, p50 / p95 (processor) ms | statements" for place in places]
    lines = [f"| Page | Reader | {' | '.join(heads)} |", f"|---|---|{'--:|--:|' * len(places)}"]
    for page, reader in dict.fromkeys((each.page, each.reader) for each in timed):
        cells = []
        for place in places:
            one = by_key.get((page, reader, place))
            said = f"{one.p50:,.0f} / {one.p95:,.0f} ({one.processor:,.0f})" if one else ""
            cells += [said, f"{one.statements}" if one else ""]
        lines.append(f"| {page} | {reader} | {' | '.join(cells)} |")
    return "\n## Every report page\n\n" + "\n".join(lines) + "\n"


def _of_sizes(sizes: Sequence[Size]) -> str:
    names = list(asdict(sizes[0]))
    heads = ("people", "rows", "report, ms", "past, ms", "one force, ms", "overview, ms", "CSV, s", "MiB")
    lines = [f"| {' | '.join(heads)} |", f"|{'--:|' * len(heads)}"]
    for size in sizes:
        cells = [getattr(size, name) for name in names]
        lines.append(f"| {' | '.join(f'{cell:,.0f}' for cell in cells)} |")
    drawn = "![The report's first page by number of people](pages.svg)\n\n![The file](file.svg)"
    return "\n## Growth\n\n" + "\n".join(lines) + f"\n\n{drawn}\n"
