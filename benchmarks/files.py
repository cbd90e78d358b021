"""(x) The files of a report: workbooks beside their writer alone, JSON and PDF, and one that a job makes."""

import io
import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import xlsxwriter

from benchmarks.browser import Browser
from benchmarks.figures import Figure
from benchmarks.serving import Server, Watch
from benchmarks.world import REPORT, WHOLE_FORCE, World
from config import Config
from portal.app import create_app
from portal.domain.people.queries import COMMAND_LINE
from portal.domain.reports import completion_files, report_pdf
from portal.domain.reports.completion_rows import Column
from portal.domain.reports.parameters import parse_position
from portal.domain.reports.queries import CompletionReport, completion_report
from portal.domain.status.rules import Status
from portal.platform import clock
from portal.platform.clock import LONDON
from portal.platform.db import db, newest_stamp

ROWS, PEOPLE, TIMES = 60_000, 2_000, 3
WAITED = 600  # seconds for a job


def measure(world: World) -> list[Figure]:
    """What a page makes while it is waited for, in this process; then the whole force's, by a job."""
    with report_of(Config(mode="demo", instance=world.instance, database_url="")) as report:
        found = [*made_here(report), _paper(report)]
    kinds = ("completions.xlsx", "completions.pdf")
    with world.browser(WHOLE_FORCE) as browser:
        by = {name: f"{name} of the whole force, by a job" for name in kinds}
        return [*found, *by_a_job(browser, world.server, by)]


def made_here(report: CompletionReport, part: str = "x") -> list[Figure]:
    """A workbook beside its writer alone, and JSON, in processor seconds of this process."""
    columns = report.columns
    whole = _best(lambda: completion_files.write_xlsx(_long(report), io.BytesIO(), report, columns))
    typed = [[_value(column.value_of(row)) for column in columns] for row in _long(report)]
    alone = _best(lambda: _alone(typed, columns))
    read = _best(lambda: sum(1 for _ in _long(report)))
    rows = PEOPLE * len(report.directive.requirements)
    pieces = _best(lambda: sum(map(len, completion_files.json_pieces(report, _some(report, rows), columns))))
    what = f"XLSX of {len(typed):,} rows"
    ratio = whole / alone
    return [
        Figure(part, what, whole, "s", alone, "xlsxwriter writing the cells", ratio, "×", 1.3),
        Figure(part, f"{what}, the reads alone", read, "s"),
        Figure(part, f"JSON of {PEOPLE:,} people, {rows:,} rows", pieces, "s"),
    ]


def _paper(report: CompletionReport) -> Figure:
    some = list(itertools.islice(report.person_rows(), PEOPLE))
    paged = _best(lambda: report_pdf.report_pdf(report, force="x", at=clock.now(), rows=some), 1)
    return Figure("x", f"PDF of {len(some):,} people", paged, "s")


@contextmanager
def report_of(config: Config) -> Iterator[CompletionReport]:
    """The report of everybody, today, in this process."""
    app = create_app(config)
    with app.app_context():
        today = parse_position("", "", now=clock.now(), newest=newest_stamp())
        yield completion_report(COMMAND_LINE, REPORT.rpartition("/")[2], today)
        db.session.rollback()
        db.engine.dispose()


def _some(report: CompletionReport, many: int) -> Iterator[Any]:
    return itertools.islice(report.rows(), many)


def _long(report: CompletionReport) -> Iterator[Any]:
    return _some(report, ROWS)


def _best(act: Callable[[], object], times: int = TIMES) -> float:
    """Processor seconds: beside other work, the ratio of two would else say who had to wait."""
    took = []
    for _ in range(times):
        begun = time.process_time()
        act()
        took.append(time.process_time() - begun)
    return min(took)


def _value(value: Any) -> Any:
    """The cell as the writer takes it, so that converting values is no part of the floor."""
    if isinstance(value, datetime):
        return value.astimezone(LONDON).replace(tzinfo=None)
    if isinstance(value, Status):
        return value.key
    return float(value) if isinstance(value, Decimal) else value if value != "" else None


def _alone(rows: list[list[Any]], columns: Sequence[Column]) -> None:
    """A workbook of these values, by the writer's own calls for each kind."""
    with xlsxwriter.Workbook(io.BytesIO(), {"constant_memory": True}) as book:
        page = book.add_worksheet()
        day, instant = (book.add_format({"num_format": f"yyyy-mm-dd{t}"}) for t in ("", " hh:mm:ss"))
        score = book.add_format({"num_format": "0.0000"})
        of: dict[type, tuple[Callable[..., Any], Any]] = {
            str: (page.write_string, None),
            int: (page.write_number, None),
            Decimal: (page.write_number, score),
            date: (page.write_datetime, day),
            datetime: (page.write_datetime, instant),
            Status: (page.write_string, None),
        }
        writers = [of[column.kind] for column in columns]
        for place, column in enumerate(columns):
            page.write_string(0, place, column.header)
        for line, row in enumerate(rows, start=1):
            for place, value in enumerate(row):
                if value is not None:
                    write, look = writers[place]
                    write(line, place, value, look)


def by_a_job(browser: Browser, server: Server, files: Mapping[str, str], part: str = "x") -> list[Figure]:
    """Files from the request to the download, and what their making adds in memory.

    Args:
        browser: Someone signed in.
        server: The portal that makes them.
        files: What each is, by its path below the report.
        part: The letter of the figures.
    """
    found = []
    for name, what in files.items():
        with Watch(server) as watch:
            begun = time.perf_counter()
            path = browser.get(f"{REPORT}/{name}").location.removeprefix(browser.origin)
            while "is being made" in (page := browser.page(path).text):
                if time.perf_counter() - begun > WAITED:
                    raise RuntimeError(f"{name} took more than {WAITED} s")
                time.sleep(0.5)
            took = time.perf_counter() - begun
        if "is ready" not in page:
            raise RuntimeError(f"{name} was not made")
        file = browser.page(f"{path}/download").body
        found += [
            Figure(part, what, took, "s"),
            Figure(part, f"{what}, memory added", watch.peak - watch.first, "MiB"),
            Figure(part, f"{what}, size", len(file) / 2**20, "MiB"),
        ]
    return found
