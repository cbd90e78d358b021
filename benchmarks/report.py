"""(d) The first page of the whole force's report with its totals, today and at a past date."""

from datetime import date, timedelta
from functools import partial

from benchmarks import load
from benchmarks.figures import Figure
from benchmarks.statements import by_client, reads_of
from benchmarks.world import REPORT, WHOLE_FORCE, World

TIMES = 40
MOST_STATEMENTS = 30


def measure(world: World) -> list[Figure]:
    """One client, one page after the other."""
    past = date.today() - timedelta(days=180)
    known = past + timedelta(days=30)
    found: list[Figure] = []
    for words, query in (
        ("today", ""),
        ("180 days ago", f"?as_at={past}"),
        ("180 days ago as known then", f"?as_at={past}&as_known_on={known}"),
    ):
        found += _measure(world, words, f"{REPORT}{query}")
    return found


def _measure(world: World, words: str, path: str) -> list[Figure]:
    with world.browser(WHOLE_FORCE) as browser:
        load.repeated(partial(browser.page, path), 4)
        done = load.repeated(partial(browser.page, path), TIMES)
    statements = reads_of(world.instance, WHOLE_FORCE, world.password, path).statements
    floor = load.repeated(partial(by_client, world.database, statements), 10)
    p95, count = done.percentile(0.95), len(statements)
    what = f"first report page with totals, {words}"
    reads = "the same statements"
    return [
        Figure("d", f"{what}, p95", p95, "ms", floor.percentile(0.95), reads, p95, "ms", 150),
        Figure("d", f"{what}, p50", done.percentile(0.5), "ms", floor.percentile(0.5), reads),
        Figure(
            "d",
            f"{what}, statements",
            count,
            "statements",
            judged=count,
            judged_unit="statements",
            target=MOST_STATEMENTS,
            fails_build=True,
        ),
    ]
