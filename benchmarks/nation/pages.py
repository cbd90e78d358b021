"""Every report page of a nation by its server: one request at a time, two readers, three positions."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from urllib.parse import urlencode

from benchmarks.load import Load, repeated
from benchmarks.nation.copies import NAMES
from benchmarks.nation.made import EVERYONE, OTHER, Nation
from benchmarks.statements import Reads, reader
from benchmarks.world import REPORT
from config import Config

TARGET = 300  # ms
TIMES, SECONDS = 20, 6.0  # each page so often, or so long where that is less, but three times at least
TOP = NAMES[1]
LEAF = f"{TOP}/Response/Response North/Team A"
READERS = {"all 43 forces": EVERYONE, "one force": OTHER}


@dataclass(frozen=True, slots=True)
class Timed:
    """One page as one reader at one position."""

    page: str
    reader: str
    position: str
    p50: float  # ms
    p95: float
    portal: float  # ms of processor time that the portal used for one: what load leaves as it is
    server: float  # ms of processor time that the database used for one
    times: int
    statements: int = 0
    database: float = 0.0  # ms of its statements in one asking, in another process

    @property
    def processor(self) -> float:
        """Both together."""
        return self.portal + self.server


def positions() -> dict[str, dict[str, str]]:
    """Today, a past day as known now, and the same as it was known soon after."""
    past = date.today() - timedelta(days=180)
    known = past + timedelta(days=30)
    as_at = {"as_at": past.isoformat()}
    return {"today": {}, "past": as_at, "as known then": {**as_at, "as_known_on": known.isoformat()}}


def pages() -> dict[str, tuple[str, dict[str, str]]]:
    """Path and query by what the page is."""
    narrowed: dict[str, dict[str, str]] = {
        "report": {},
        "report, a force": {"unit": TOP},
        "report, a team": {"unit": LEAF},
        "report, a rank": {"rank": "Constable"},
        "report, a role": {"role": "response"},
        "report, a status": {"status": "in_progress"},
        "report, not complete": {"status": "not_complete"},
        "report, late 31 to 90 days": {"late": "31-90"},
        "report, due in 30 days": {"due": "30"},
        "report, a surname": {"q": "Okafor"},
        **{f"report by {column}": {"sort": column} for column in ("person", "due", "rank", "role", "unit")},
        "report by person, downwards": {"sort": "-person"},
        "report, page 2": {"page": "2"},
        "report, last page": {"page": "999999999"},  # a number too large is the last
    }
    return {
        "overview": ("/monitoring", {}),
        "overview, a force": ("/monitoring", {"unit": TOP}),
        **{what: (REPORT, query) for what, query in narrowed.items()},
        "difference, a week": (f"{REPORT}/changes", {}),
        "people, a surname": ("/people", {"q": "Okafor"}),
    }


def measure(nation: Nation, tell: Callable[[str], None] = print) -> Iterator[tuple[Timed, Reads]]:
    """Each page for each reader at each position, with what it read."""
    config = Config(mode="demo", instance=nation.instance, database_url=nation.url)
    for who, staff_number in READERS.items():
        with (
            nation.browser(staff_number) as browser,
            reader(config, staff_number, nation.password, times=1) as read,
        ):
            for what, (path, query) in pages().items():
                for position, asked in positions().items():
                    if what == "people, a surname" and asked:
                        continue  # a search is of today
                    address, named = _address(path, {**query, **asked}), (what, who, position)
                    timed, reads = _timed(nation, partial(browser.page, address), named), read(address)
                    timed = replace(
                        timed, statements=len(reads.statements), database=1000 * sum(reads.seconds)
                    )
                    tell(f"{' / '.join(named)}: {timed.p50:,.0f} / {timed.p95:,.0f} ms")
                    yield timed, reads


def _timed(nation: Nation, task: Callable[[], object], named: tuple[str, str, str]) -> Timed:
    before = nation.processor_seconds()
    done = several(task)
    times = len(done.times)
    spent = zip(nation.processor_seconds(), before, strict=True)
    portal, server = (1000 * (after - begun) / (times + 1) for after, begun in spent)
    return Timed(*named, done.percentile(0.5), done.percentile(0.95), portal, server, times)


def several(task: Callable[[], object]) -> Load:
    """Once to warm what the server keeps, then as often as ``TIMES`` and ``SECONDS`` say."""
    begun = time.perf_counter()
    task()
    once = max(time.perf_counter() - begun, 0.001)
    return repeated(task, max(3, min(TIMES, round(SECONDS / once))))


def _address(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
