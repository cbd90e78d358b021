"""A report from status counts equals the report from status periods, for any viewer and filters."""

from collections.abc import Iterator
from datetime import date
from urllib.parse import quote

import pytest
import time_machine

from portal.domain.status import counts, paging, tasks
from portal.domain.status.models import StatusCount
from portal.pages.monitoring import forms
from portal.platform import clock
from portal.platform.db import stamp, transaction
from tests.domain.status.facts import make_exclusion, make_start
from tests.examples import sweep_after
from tests.page_reading import PortalClient
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.world import REPORT, TODAY, World, enter, make_world

VIEWERS = ("D6001", "D2003", "D2001")  # all, a command, a team
QUERIES = (
    "",
    "?as_at=2026-04-30",
    "?as_at=2026-05-20",
    "?as_at=2026-04-30&as_known_on=2026-05-01",
    "?rank=Constable",
    "?role=response&status=overdue",
    "?status=satisfied&sort=-person",
    "?late=31-90&sort=rank",
    "?as_at=2026-04-20&due=30&sort=-due",
    "?unit=Westshire+Police/Local+Policing&sort=unit",
    "?q=shah&sort=-unit",
    "?status=not_complete&sort=role&page=2",
)


KEPT = ("the days around are kept", "month ends are kept", "no day is kept")


@pytest.fixture(params=sweep_after(1, *KEPT))
def world(request: pytest.FixtureRequest, database: None) -> Iterator[World]:
    """The force of the other tests, with more kinds of standing, on 1 June."""
    with time_machine.travel(TODAY, tick=False):
        found = make_world()
        make_start(found.people["N2"], found.activities[1], found.version, date(2026, 5, 20))
        make_exclusion(found.people["S1"], found.directive, date(2026, 5, 1), date(2026, 5, 20))
        with transaction():
            stamp()
            if request.param == "month ends are kept":
                tasks.add_missing_snapshots(clock.today())
            elif request.param == "the days around are kept":
                for day in (date(2026, 4, 19), date(2026, 5, 20), date(2026, 6, 2)):
                    tasks.add_snapshot(found.directive, day.toordinal())
        yield found


# Each viewer and each way to keep days once; all of them together in sweeps.
TOGETHER = (*zip(KEPT, VIEWERS, strict=True), *((days, who) for days in KEPT for who in VIEWERS))
CASES = [
    pytest.param(*case, marks=[pytest.mark.sweep] if at >= len(KEPT) else [])
    for at, case in enumerate(dict.fromkeys(TOGETHER))
]


@pytest.mark.slow
@pytest.mark.parametrize(("world", "viewer"), CASES, indirect=["world"])
def test_every_page_reads_the_same(
    client: PortalClient, world: World, viewer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(client, world, viewer)
    client.page(REPORT)  # the first look is kept
    paths = [*(REPORT + query for query in QUERIES), "/monitoring", "/monitoring?as_at=2026-05-20"]
    monkeypatch.setattr(paging, "MANY", 1)
    monkeypatch.setattr(paging, "_is_walk_shorter", lambda *_: True)
    kept = [client.page(path) for path in paths]
    monkeypatch.setattr(counts, "is_summed", lambda *_, **__: False)
    read = [client.page(path) for path in paths]

    for path, one, other in zip(paths, kept, read, strict=True):
        assert one.text == other.text, path
        assert [link.get("href") for link in one.all("a")] == [link.get("href") for link in other.all("a")]


def test_a_report_of_everybody_reads_no_spans_but_those_of_the_people_it_names(
    client: PortalClient, world: World
) -> None:
    enter(client, world, "D6001")
    client.page(REPORT)
    with statements() as run:
        client.page(REPORT)

    spans = [statement for statement in run if "status_period" in statement]
    assert any(StatusCount.__tablename__ in statement for statement in run)
    assert spans
    assert all("status_period.person_id IN" in each or "ORDER BY" in each for each in spans)


def test_of_very_many_units_the_upper_ones_are_offered_and_the_one_asked_for(
    client: PortalClient, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(client, world, "D6001")
    below = "Westshire Police/Local Policing/Response, North"

    def offered(query: str = "") -> list[str | None]:
        page = client.page(REPORT + query)
        assert ("Choose units further down in the table “By unit”" in page.text) == (forms.MOST_UNITS < 9)
        return [
            option.get("value") for option in page.all("option") if "Police" in (option.get("value") or "")
        ]

    assert below in offered()
    monkeypatch.setattr(forms, "MOST_UNITS", 3)
    assert offered() == ["Westshire Police", "Westshire Police/Crime", "Westshire Police/Local Policing"]
    assert below in offered(f"?unit={quote(below)}")
