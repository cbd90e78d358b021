"""Inspection packs and FOI packs, made from the report and checked without the portal."""

import csv
import hashlib
import io
import json
from datetime import date

import pytest
import time_machine
from python_calamine import CalamineWorkbook

from portal.domain.reports import packs
from portal.platform import clock as portal_clock
from tests.domain.status.facts import make_exclusion, make_record
from tests.factories.people import make_grant
from tests.kept import made_once
from tests.pages.account.browsing import another
from tests.pages.monitoring.pack_reader import read_pack
from tests.pages.monitoring.preparing import events, link, run_jobs, words_of
from tests.pages.monitoring.world import MAY, REPORT, TODAY, enter, make_world

pytestmark = pytest.mark.slow

INSPECTION, FOI = f"{REPORT}/inspection-pack.zip", f"{REPORT}/foi-pack.zip"
MORE = {"north": 14, "south": 9, "crime": 3}  # people of each unit, beside those of the small force


@pytest.fixture
def clock():
    with time_machine.travel(TODAY, tick=False) as travelling:
        yield travelling


@made_once
def make_larger_world():
    """A force of 32 people under the directive, most of whom lack the first module and few the second."""
    world = make_world()
    with time_machine.travel(MAY, tick=False):
        for unit, people in MORE.items():
            for number in range(people):
                role = "investigation" if unit == "crime" else "response"
                person = world.person(f"M-{unit}-{number}", unit, surname=f"Quill{unit}{number}", role=role)
                for position, activity in world.activities.items():
                    if number % 3 or position > 1:
                        make_record(person, activity, date(2026, 5, 9))
        make_record(world.people["S1"], world.activities[2], date(2026, 5, 9))
        make_exclusion(world.people["M-north-0"], world.directive, date(2026, 5, 1))
    return world


@pytest.fixture
def world(clock, client):
    return make_world()


@pytest.fixture
def auditor(client, world):
    return enter(client, world, "D6001")


@pytest.fixture
def larger(clock, client):
    return make_larger_world()


@pytest.fixture
def auditor_of_many(client, larger):
    return enter(client, larger, "D6001")


def made(app, client, address):
    """The page of a pack that a job has made, and the pack's bytes."""
    path = client.get(address).location
    run_jobs(app)
    page = client.page(path)
    assert page.h1 == "Your file is ready"
    return page, client.get(link(page))


def command(app, *arguments):
    return app.test_cli_runner().invoke(args=["report", "pack", "--directive", "OIC-2026", *arguments])


def test_an_inspection_pack_is_one_click_from_the_report_and_holds_its_rows(app, auditor, world, tmp_path):
    report = auditor.page(REPORT)
    page, answer = made(app, auditor, report.links["inspection pack"])
    pack = read_pack(answer.data, tmp_path)

    assert answer.headers["Content-Disposition"].endswith("OIC-2026-inspection-pack-2026-06-01.zip")
    assert hashlib.sha256(answer.data).hexdigest() in page.text
    csv_file = auditor.get(f"{REPORT}/completions.csv")
    assert pack.files["completions.csv"] == csv_file.data
    assert pack.files["completions.json"].count(b'"staff_number"') == pack.manifest["rows"] == 12
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(pack.files["completions.xlsx"]))
    assert len(sheet.get_sheet_by_index(0).to_python()) == 13
    summary = words_of(pack.files["summary.pdf"])
    assert "On 1 June 2026, 40% were complete: 2 of 5 people" in summary
    assert "Not completed, and the due date has passed." in summary
    assert pack.meanings()["Answer"] == ["On 1 June 2026, 40% were complete: 2 of 5 people"]
    event, [taken] = events("completions.exported")[0], events("completions.downloaded")
    assert (event.detail["shape"], event.detail["people"], event.detail["rows"]) == ("inspection-pack", 6, 12)
    assert event.detail["sha256"] == hashlib.sha256(answer.data).hexdigest()
    assert taken.detail["name"] == "inspection-pack.zip"


def test_the_same_times_give_the_same_bytes_later_and_by_the_command(app, auditor, world, clock, tmp_path):
    position = "as_at=2026-04-30&as_known_on=2026-04-30"
    packs = [made(app, auditor, f"{address}?{position}")[1].data for address in (INSPECTION,)]
    clock.move_to(portal_clock.now().replace(month=8))
    make_record(world.people["S1"], world.activities[1], date(2026, 4, 1))

    said = command(app, "--as-at", "2026-04-30", "--as-known-on", "2026-04-30", "--into", str(tmp_path))

    assert said.exit_code == 0, said.output
    file = tmp_path / "OIC-2026-inspection-pack-2026-04-30.zip"
    assert [file.read_bytes()] == packs
    assert hashlib.sha256(packs[0]).hexdigest() in said.output
    assert [event.actor_id for event in events("completions.exported")] == [world.people["D6001"], None]
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name]


def test_an_inspection_pack_keeps_the_filters_and_says_so(app, auditor, tmp_path):
    _, answer = made(app, auditor, f"{INSPECTION}?rank=Sergeant&q=Castell")
    pack = read_pack(answer.data, tmp_path)

    assert {row["surname"] for row in pack.rows("completions.csv")} == {"Castell"}
    assert "Only people who match the filters: Name or number: Castell; Rank or grade: Sergeant." in (
        pack.text("README.txt").replace("\n", " ")
    )
    assert "Castell" not in answer.headers["Content-Disposition"]


def test_an_foi_pack_names_nobody_and_its_forms_agree(app, auditor_of_many, tmp_path):
    _, answer = made(app, auditor_of_many, auditor_of_many.page(REPORT).links["FOI pack"])
    pack = read_pack(answer.data, tmp_path)

    book = CalamineWorkbook.from_filelike(io.BytesIO(pack.files["tables.xlsx"]))
    sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    tables = json.loads(pack.text("tables.json"))["tables"]
    summary = words_of(pack.files["summary.pdf"])
    everything = f"{sheets}{summary}" + "".join(
        pack.text(name) for name in pack.files if not name.endswith((".pdf", ".xlsx"))
    )
    for word in ("Quill", "M-north", "Shah", "D1001", "Brennan", "D6001", "Parry", "parental"):
        assert word not in everything
    for key, rows in tables.items():
        lines = [[str(value) for value in row.values()] for row in rows]
        assert lines == list(csv.reader(io.StringIO(pack.text(f"{key}.csv"))))[1:]
        numbers = [[int(v) if isinstance(v, float) else v for v in row] for row in sheets[key.capitalize()]]
        assert numbers[1:] == [list(row.values()) for row in rows]
        assert all(value in summary for line in lines for value in line[1:])
    assert tables["statuses"][-1]["people"] in (30, 35)
    assert pack.manifest["small_number"] == 5
    assert events("completions.exported")[0].detail["people"] == 0
    assert_numbers_are_rounded(pack, tables)


def assert_numbers_are_rounded(pack, tables):
    numbers = [
        (name, value)
        for rows in tables.values()
        for row in rows
        for name, value in row.items()
        if isinstance(value, int) and "percentage" not in name
    ]
    assert len(numbers) > 20
    assert [each for each in numbers if each[1] % 5] == []
    words = " ".join(pack.meanings()["Rounded numbers"])
    assert "Every number of people is rounded to a multiple of 5" in words
    assert words in " ".join(pack.text("README.txt").replace("\n- ", " ").split())
    [answer] = pack.meanings()["Answer"]
    assert answer.endswith("rounded to a multiple of 5")


def test_the_page_says_in_plain_words_which_pack_is_for_whom(auditor_of_many):
    page = auditor_of_many.page(
        auditor_of_many.page(f"{REPORT}?rank=Sergeant").links["Which pack, and what is in it"]
    )

    assert page.h1 == "Packs for an inspector or an FOI request"
    assert "It names people: 1 person" in page.text
    assert "It names nobody: numbers of people" in page.text
    assert "Every number is rounded to a multiple of 5" in page.text
    assert auditor_of_many.press(page, "Make the FOI pack").h1 == "Your file is being made"
    assert auditor_of_many.press(page, "Make the inspection pack").h1 == "Your file is being made"


def test_an_foi_pack_of_a_part_of_the_force_or_of_too_few_people_is_refused(app, auditor, world):
    make_grant(world.people["N2"], "manager", world.units["north"])
    manager = enter(another(app), world, "N2")

    few, part = auditor.page(f"{REPORT}/packs"), manager.page(f"{REPORT}/packs")

    assert packs.TOO_FEW in few.text
    assert packs.WHOLE_FORCE in part.text
    assert "FOI pack" not in manager.page(REPORT).links
    assert [manager.get(FOI).status_code, auditor.get(FOI).status_code] == [409, 409]
    assert auditor.get(f"{FOI}?rank=Sergeant").status_code == 409
    assert manager.get(INSPECTION).status_code == 303
    refused = command(app, "--foi", "--output", "x.zip")
    assert (refused.exit_code, packs.TOO_FEW in refused.output) == (1, True)


def test_a_forecast_is_no_evidence(app, auditor_of_many):
    forecast = "as_at=2026-05-20&as_known_on=2026-04-30"

    assert packs.NOT_KNOWN in auditor_of_many.page(f"{REPORT}/packs?{forecast}").text
    assert auditor_of_many.get(f"{INSPECTION}?{forecast}").status_code == 400
    refused = command(app, "--as-at", "2026-05-20", "--as-known-on", "2026-04-30", "--output", "x.zip")
    assert refused.exit_code == 1
    assert "--as-known-on: A pack is evidence" in refused.output


def test_a_forecast_is_nothing_to_a_pack_that_was_current_when_it_was_asked_for(
    app, auditor_of_many, clock, larger
):
    """The newest record is of yesterday; another is entered before the job runs."""
    path = auditor_of_many.get(INSPECTION).location
    clock.shift(60)
    make_record(larger.people["S1"], larger.activities[1], date(2026, 4, 1))
    run_jobs(app)

    assert auditor_of_many.page(path).h1 == "Your file is ready"
