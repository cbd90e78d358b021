"""What a viewer may not see changes nothing that they are shown: pages, files, mails, jobs."""

import difflib
import io
import json
import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from portal.domain.people.queries import viewer_of
from portal.domain.reminders import services
from portal.domain.reminders.message_texts import PortalDetails, compose_reminder, plan_reminders
from portal.domain.reminders.rules import SendWindow
from portal.domain.reports import completion_files
from portal.domain.reports.changes import Changes
from portal.domain.reports.queries import completion_report
from portal.pages.layout.report_position import parse_position_now
from portal.platform import clock
from portal.platform.db import transaction
from tests.databases import undone
from tests.examples import few_or_many
from tests.limits import reset_limits
from tests.page_reading import PortalClient
from tests.pages.monitoring.hidden import LOOKERS, NOON, PEOPLE, STORIES, Hidden, Looker, Story
from tests.pages.monitoring.preparing import run_jobs
from tests.pages.monitoring.retelling import REFERENCES, Telling

RANDOM = re.compile(
    r'name="csrf_token"[^>]*>'
    r"|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"  # of jobs, files and messages
    r"|<strong>[0-9A-Z]{4}-[0-9A-Z]{4}</strong>"  # a reference for support
)
DAYS = ["2026-03-20", "2026-04-30", "2026-05-15"]
KNOWN = ["2026-03-15", "2026-04-20", "2026-05-10"]
POSITIONS = [
    {},
    *({"as_at": day} for day in DAYS),
    *({"as_at": day, "as_known_on": known} for day, known in zip(DAYS, KNOWN, strict=True)),
]
PAIRS = [
    (DAYS[0], "", DAYS[2], ""),
    (DAYS[2], "", DAYS[0], ""),
    (DAYS[1], KNOWN[0], DAYS[1], ""),
    (DAYS[1], "", DAYS[1], KNOWN[1]),
    (DAYS[0], KNOWN[0], "2026-06-01", ""),
    ("2026-01-20", KNOWN[1], DAYS[2], KNOWN[2]),
]
FROM_TO = ("from_as_at", "from_as_known_on", "as_at", "as_known_on")
GROUPS = [{"unit": "Force/crime"}, {"unit": "Force/local/south"}, {"role": "custody"}, {"rank": "Colonel"}]
POST = ("north", "response", "Constable", "sergeant")


def told(app: Flask, telling: Telling, every: int) -> Iterator[tuple[str, str]]:
    """What the looker is shown, each under a name: pages of changes, and one of ``every`` other addresses."""
    client = PortalClient(app)
    client.set_cookie("portal", telling.sign_in())
    for number, path in enumerate(paths()):
        if "changes" not in path and number % every:
            continue
        reset_limits()  # more files than one person may take at once
        answer = client.get(path)
        yield path, f"{answer.status_code} {RANDOM.sub('', answer.location or '')} {text_of(answer)}"
    yield from jobs_of(app, client)
    yield from mails(telling)


def paths() -> Iterator[str]:
    """The addresses of every page and file of a viewer, at several positions."""
    yield from ("/monitoring?open=*", "/people", "/people?q=Name", "/decisions", "/jobs", "/directives")
    yield "/reminders/preview?day=2026-07-01"
    yield from (f"/people/{number}" for number in (*PEOPLE, "X0"))
    yield from (f"/people/{number}?{urlencode(POSITIONS[-1])}" for number in PEOPLE)
    yield from (f"/monitoring?{urlencode(asked)}" for asked in POSITIONS[2::4])
    for reference, pairs, positions in zip(
        REFERENCES, (PAIRS, PAIRS[::3]), (POSITIONS, POSITIONS[::3]), strict=True
    ):
        report = f"/monitoring/directives/{reference}"
        yield f"/directives/{reference}"
        yield from (f"{report}?{urlencode(asked)}" for asked in positions)
        yield from (f"{report}/changes?{urlencode(list(zip(FROM_TO, pair, strict=True)))}" for pair in pairs)
        yield from (f"{report}/completions.csv?{urlencode(asked)}" for asked in positions)
    report, asked = f"/monitoring/directives/{REFERENCES[0]}", urlencode(POSITIONS[-1])
    yield from (f"{report}/completions.{form}?{asked}" for form in ("json", "pdf", "xlsx"))
    yield f"{report}/people.csv?{asked}"
    for group in GROUPS:
        yield f"{report}/completions.csv?{urlencode(group)}"
        yield f"{report}/changes?{urlencode({**group, 'from_as_at': DAYS[0]})}"
    yield from (f"/records/OIC-{person}-{number}" for person in PEOPLE[:2] for number in range(3))


def text_of(answer) -> str:
    kind = answer.mimetype
    if kind.endswith("sheet"):
        book = CalamineWorkbook.from_filelike(io.BytesIO(answer.data))
        return json.dumps(
            [book.get_sheet_by_name(name).to_python() for name in book.sheet_names], default=str
        )
    if kind == "application/pdf":
        return " ".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.data)).pages)
    return RANDOM.sub("", answer.get_data(as_text=True))


def jobs_of(app: Flask, client: PortalClient) -> Iterator[tuple[str, str]]:
    """What a job made, as far as one was needed."""
    path = client.get(f"/monitoring/directives/{REFERENCES[0]}/people.xlsx").location
    if path:
        run_jobs(app)
        yield "page of a prepared file", RANDOM.sub("", client.get(path).get_data(as_text=True))
        answer = client.get(f"{path}/download")
        yield "prepared file", f"{answer.status_code} {text_of(answer)}"


def mails(telling: Telling) -> Iterator[tuple[str, str]]:
    """The mail that the looker would be sent, and the outbox after everybody's is planned."""
    day, mine = clock.today(), telling.people[telling.looker.number]
    plan = plan_reminders(day, line_managers=True)
    lines = plan.letters.get(mine, [])
    made = compose_reminder(
        mine,
        lines,
        plan.directives,
        now=clock.now(),
        portal=PortalDetails("https://x", "Force", line_managers=True),
    )
    yield "mail", f"{getattr(made, 'subject', '')} {getattr(made, 'text', made)}"
    with transaction():
        services.plan_day(day, at=clock.now(), hours=SendWindow(), line_managers=True)
    client = PortalClient(telling.app)
    client.set_cookie("portal", telling.sign_in())
    yield "outbox", RANDOM.sub("", client.get("/reminders").get_data(as_text=True))


def compare(app: Flask, story: Story, looker: Looker, every: int = 1) -> None:
    """Tell the story twice, and hold all that the looker is shown against each other."""
    found = []
    for hidden in (None, Hidden(story, looker)):
        with undone():
            telling = Telling(story, looker, hidden)
            telling.app = app
            with time_machine.travel(NOON, tick=False):
                found.append(dict(told(app, telling, every)))
    plain, otherwise = found
    assert plain.keys() == otherwise.keys()
    assert differences(plain, otherwise) == {}, looker.number


def differences(plain: dict[str, str], otherwise: dict[str, str]) -> dict[str, list[str]]:
    """The lines that differ, by the name of what has them."""
    found = {}
    for name, text in plain.items():
        if text != otherwise[name]:
            lines = difflib.unified_diff(text.splitlines(), otherwise[name].splitlines(), n=0, lineterm="")
            found[name] = list(lines)[2:12]
    return found


@pytest.fixture
def by_jobs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workbooks of two people and more are made by a job."""
    monkeypatch.setattr(completion_files, "XLSX_ROWS", 1)


LEFT = Story(
    [POST, ("north", "response", "Sergeant", "sergeant"), ("crime", "response", "Constable", "stranger")],
    [
        ("post", "P1", clock.read_day("2026-04-10"), ("crime", "custody", "Sergeant", "stranger")),
        ("record", "P1", clock.read_day("2026-04-12"), 0),
        ("exempt", "P1", clock.read_day("2026-04-10"), 60),
        ("post", "P3", clock.read_day("2026-05-01"), ("north", "response", "Constable", "sergeant")),
        ("post", "P2", clock.read_day("2024-01-01"), ("roads", "response", "Constable", "stranger")),
    ],
)
UNIT_MOVED = Story(
    [("south", "response", "Constable", "sergeant"), POST, ("roads", "contact", "Constable", "stranger")],
    [
        ("move", "south", clock.read_day("2026-04-10"), "crime"),
        ("post", "P1", clock.read_day("2026-04-20"), ("south", "response", "Sergeant", "stranger")),
        ("record", "P1", clock.read_day("2026-04-25"), 0),
        ("move", "south", clock.read_day("2026-05-12"), "local"),
        ("end", "P2", clock.read_day("2026-05-12")),
    ],
)
MOVED_BEFORE = Story(  # the south moves out of sight before P1 joins it, which is not yet known on 15 March
    [("north", "response", "Sergeant", "sergeant"), POST, ("roads", "contact", "Sergeant", "sergeant")],
    [
        ("record", "P1", clock.read_day("2026-04-23"), 2),
        ("exempt", "P2", clock.read_day("2026-05-10"), 58),
        ("start", "P1", clock.read_day("2026-02-02"), 1),
        ("move", "south", clock.read_day("2026-01-22"), "crime"),
        ("post", "P1", clock.read_day("2026-05-25"), ("south", "contact", "Constable", "sergeant")),
    ],
)
WAITED = Story(  # a line manager's message waited for somebody out of sight when P3's line joined it
    [
        ("roads", "custody", "Sergeant", "stranger"),
        ("crime", "contact", "Sergeant", "sergeant"),
        ("south", "custody", "Sergeant", "stranger"),
    ],
    [
        ("exempt", "P2", clock.read_day("2026-03-09"), 2),
        ("revoke", "P2", clock.read_day("2026-02-08"), 1),
        ("record", "P2", clock.read_day("2026-05-07"), 3),
        ("end", "P2", clock.read_day("2026-06-16")),
        ("exempt", "P3", clock.read_day("2026-02-18"), 56),
        ("start", "P1", clock.read_day("2026-03-30"), 0),
        ("move", "south", clock.read_day("2026-03-05"), "crime"),
        ("start", "P1", clock.read_day("2026-04-03"), 1),
        ("exempt", "P2", clock.read_day("2026-01-29"), 26),
        ("start", "P3", clock.read_day("2026-05-18"), 3),
        ("exempt", "P3", clock.read_day("2026-03-25"), 29),
        ("post", "P3", clock.read_day("2026-05-21"), ("south", "response", "Sergeant", "sergeant")),
    ],
)
QUIET = settings(
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
LOOKING = st.sampled_from(LOOKERS)
INSPECTOR, OWNER = LOOKERS[1], LOOKERS[3]


@pytest.mark.slow
@settings(QUIET, max_examples=1)
@example(story=LEFT, looker=INSPECTOR)
@example(story=UNIT_MOVED, looker=INSPECTOR)
@example(story=MOVED_BEFORE, looker=INSPECTOR)
@example(story=WAITED, looker=OWNER)
@given(story=STORIES, looker=LOOKING)
def test_what_is_out_of_sight_changes_nothing(
    app: Flask, database: None, by_jobs: None, story: Story, looker: Looker
) -> None:
    compare(app, story, looker, every=4)


@pytest.mark.sweep
@pytest.mark.parametrize("looker", LOOKERS, ids=lambda one: one.number)
@pytest.mark.parametrize(
    "story", [LEFT, UNIT_MOVED, MOVED_BEFORE], ids=["people move", "a unit moves", "out of sight"]
)
def test_it_changes_nothing_for_any_viewer(
    app: Flask, database: None, by_jobs: None, story: Story, looker: Looker
) -> None:
    compare(app, story, looker)


@pytest.mark.sweep
@settings(QUIET, max_examples=25)
@given(story=STORIES, looker=LOOKING)
def test_it_changes_nothing_in_any_story(
    app: Flask, database: None, by_jobs: None, story: Story, looker: Looker
) -> None:
    compare(app, story, looker)


@pytest.mark.slow
@settings(QUIET, max_examples=few_or_many(2, 8))
@example(story=LEFT, looker=INSPECTOR)
@example(story=UNIT_MOVED, looker=INSPECTOR)
@example(story=MOVED_BEFORE, looker=INSPECTOR)
@given(story=STORIES, looker=LOOKING)
def test_the_sums_of_both_reports_agree_with_what_changed(
    app: Flask, database: None, story: Story, looker: Looker
) -> None:
    with undone():
        telling = Telling(story, looker)
        with time_machine.travel(NOON, tick=False):
            viewer = viewer_of(telling.people[looker.number])
            assert viewer is not None
            for from_day, from_known, day, known in PAIRS:
                positions = (parse_position_now(from_day, from_known), parse_position_now(day, known))
                then, now = (completion_report(viewer, REFERENCES[0], at) for at in positions)
                wholes = [cells[0] for cells in Changes(then, now).cells.values() if 0 in cells]
                gone, come = (sum(pair[side] is None for pair in wholes) for side in (1, 0))
                assert then.figures.assigned - gone + come == now.figures.assigned


def test_the_stories_hide_something() -> None:
    """A property about nothing would hold: each of the stories has posts and facts that are hidden."""
    for story in (LEFT, UNIT_MOVED):
        found = [Hidden(story, looker) for looker in LOOKERS]
        assert any(hidden.posts for hidden in found)
    assert any(Hidden(LEFT, looker).facts for looker in LOOKERS)
    assert Hidden(LEFT, INSPECTOR).facts == {1, 2}
