"""Files of a report for other systems: those of the page to the byte, for the token's people, audited."""

import pytest
import time_machine

from portal.domain.audit_desk.queries import list_disclosures
from portal.domain.people.queries import person_by_staff_number
from portal.pages.api import rate_limits
from tests.factories.people import make_grant
from tests.pages.account.browsing import another, let_in, make_account
from tests.pages.api.calling import system
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

FILES = "/directives/OIC-2026/files"
NAMES = ("completions.csv", "people.csv")


@pytest.fixture
def world(database):
    with time_machine.travel(TODAY, tick=False):
        yield make_world()


@pytest.fixture
def caller(app, world):
    return system(app)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "query",
    ["", "?as_at=2026-04-30&as_known_on=2026-04-30", "?as_at=2026-04-30", "?status=overdue&rank=Constable"],
    ids=["now", "then", "hindsight", "filters"],
)
def test_a_file_is_byte_for_byte_that_of_the_page(client, caller, world, name, query):
    own = enter(client, world, "D6001").get(f"{REPORT}/{name}{query}")
    sent = caller.ask(f"{FILES}/{name}{query}")

    assert (sent.status_code, sent.mimetype) == (200, "text/csv")
    assert sent.data == own.data
    assert sent.headers["Content-Disposition"] == own.headers["Content-Disposition"]
    assert "RateLimit" in sent.headers


def test_a_units_file_is_that_of_its_auditor(app, world):
    auditor = make_account("A1", unit=world.units["crime"])
    make_grant(auditor, "auditor", world.units["north"])
    browser = another(app)
    let_in(browser, "A1")
    caller, whole = system(app, unit=world.units["north"]), system(app)

    for name in NAMES:
        own = browser.get(f"{REPORT}/{name}").data
        assert caller.ask(f"{FILES}/{name}").data == own
        assert own != whole.ask(f"{FILES}/{name}").data


def test_the_list_says_what_there_is_and_where(caller):
    files = caller.read(f"{FILES}?status=overdue")["items"]

    assert [file["name"] for file in files] == list(NAMES)
    for file in files:
        lines = caller.ask(file["address"]).text.splitlines()
        assert len(lines) == file["rows"] + 1 > 1
        assert ",".join(field["name"] for field in file["table_schema"]["fields"]) == lines[0]
    assert caller.read_all(f"{FILES}?limit=1&status=overdue") == files


def test_whoever_is_in_a_file_finds_it_among_the_disclosures(caller):
    caller.ask(f"{FILES}/people.csv?q=shah")
    shah, other = person_by_staff_number("D1001"), person_by_staff_number("N2")

    (act,) = list_disclosures(shah, limit=10)
    assert (act.detail["operation"], act.detail["filters"], act.detail["rows"]) == ("read_file", ["q"], 1)
    assert list_disclosures(other, limit=10) == []


@pytest.mark.parametrize(
    "path", ["/completions.xlsx", "/..%2Fstatus", "/x", "/completions.csv%00", "/Completions.csv"]
)
def test_another_file_is_not_there(caller, path):
    assert caller.ask(f"{FILES}{path}").status_code == 404


def test_another_directive_is_not_there(app, world, caller):
    assert caller.ask("/directives/NONE/files").status_code == 404
    assert caller.ask("/directives/NONE/files/people.csv").status_code == 404
    of_one = system(app, directive="OIC-2026")
    assert of_one.ask(f"{FILES}/people.csv").status_code == 200
    assert of_one.ask("/directives/ABC-1/files/people.csv").status_code == 404


def test_a_token_reads_so_many_files_and_then_waits(app, world, caller, monkeypatch):
    monkeypatch.setattr(rate_limits, "FILES_IN_FIVE_MINUTES", 2)
    answers = [caller.ask(f"{FILES}/people.csv") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 300
    assert caller.ask(FILES).status_code == 200  # the rest goes on
    assert system(app, unit=world.units["north"]).ask(f"{FILES}/people.csv").status_code == 200
    tag = {"If-None-Match": answers[0].headers["ETag"]}
    assert caller.ask(f"{FILES}/people.csv", headers=tag).status_code == 304  # it costs nothing
