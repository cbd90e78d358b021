"""The page of a directive's report."""

import re
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine

from portal.domain.decisions import services
from portal.domain.people.units import rename_unit
from portal.domain.reminders import services as reminders_services
from portal.domain.reports.parameters import STATUS_WORDS
from portal.domain.status import paging
from portal.platform.db import stamp, transaction
from tests.domain.status.facts import make_exclusion, make_record
from tests.factories.people import make_grant
from tests.page_reading import H, Page, words
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.reading import csv_rows
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world

pytestmark = pytest.mark.usefixtures("today")


@pytest.fixture
def today():
    with time_machine.travel(TODAY, tick=False):
        yield


@pytest.fixture
def auditor(client):
    return enter(client, make_world(), "D6001")


def people(page: Page) -> list[str]:
    """Staff numbers of the table, from the top."""
    return [words(span) for head in page.all("th", scope="row") for span in head.iter(f"{H}span")]


def test_the_heading_is_the_answer_with_its_definition_and_both_times(auditor):
    page = auditor.page(REPORT)

    assert page.h1 == "40% complete: 2 of 5 people"
    assert "6 assigned, less 1 exempt" in page.text
    assert "As at 1 June 2026, as known now (last change 10:00 on 10 May 2026)." in page.text
    assert "The percentage is 2 people who are complete, of 5" in page.text
    assert "Not counted, by reason: secondment 1." in page.text


def test_units_stand_lowest_first_and_lead_into_themselves(auditor):
    page = auditor.page(REPORT)
    table = page.all("table", class_="portal-units")[0]
    rows = [[words(cell) for cell in row.iter(f"{H}td")] for row in table.iter(f"{H}tr")]

    assert rows[1:] == [["Local Policing", "", "25% – 1 of 4"], ["Crime", "", "100% – 1 of 1"]]

    below = auditor.page(page.links["Local Policing"])
    assert people(below) == ["S1", "N2", "D1001", "N1", "S2"]
    assert "Response/South" in below.links


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=cast", ["N2"]),
        ("?q=Priya+Shah", ["D1001"]),
        ("?q=d1001", ["D1001"]),
        ("?q=%25", []),
        ("?role=investigation", ["C1"]),
        ("?rank=Sergeant", ["N2"]),
        ("?rank=Sergeant&rank=Constable", ["S1", "N2", "D1001", "N1", "C1", "S2"]),
        ("?rank=Sergeant&rank=Constable&role=investigation", ["C1"]),
        ("?rank=Sergeant,Constable&status=overdue", ["S1", "N2", "D1001"]),
        ("?rank=Sergeant,", ["N2"]),
        ("?rank=%0dSergeant", ["N2"]),
        ("?status=overdue", ["S1", "N2", "D1001"]),
        ("?status=not_complete&rank=Constable", ["S1", "D1001"]),
        ("?status=exempt", ["S2"]),
        ("?unit=Westshire+Police/Local+Policing/Response//South", ["S1", "S2"]),
    ],
)
def test_filters_narrow_table_and_file_alike(auditor, query, found):
    page = auditor.page(REPORT + query)

    assert people(page) == found
    assert f"{len(found)} of 6 people" in page.text
    assert {row["staff_number"] for row in csv_rows(auditor, query)} == set(found)
    assert "40% complete, 2 of 5 people" in page.text  # the whole stands beside it
    assert (
        f"These {len(found)} {'person' if len(found) == 1 else 'people'}, {2 * len(found)} rows:" in page.text
    )


def test_every_filter_is_a_chip_that_takes_it_away(auditor):
    page = auditor.page(f"{REPORT}?status=overdue&rank=Constable&sort=person")

    assert people(page) == ["S1", "D1001"]
    without = auditor.page(page.links["Remove the filter Status: overdue"])
    assert set(people(without)) == {"N1", "D1001", "S1", "S2", "C1"}
    assert len(people(auditor.page(page.links["Clear filters"]))) == 6


def test_the_filter_form_offers_what_is_there_and_keeps_the_position(auditor):
    page = auditor.page(f"{REPORT}?as_at=2026-05-20")

    form = page.form_with("Apply filters")
    assert form.fields["as_at"] == ["2026-05-20"]
    offered = {words(option) for option in page.all("option")}
    assert {"Any role", "Investigation", "Response", *STATUS_WORDS.values()} <= offered


def test_several_ranks_are_ticked_said_and_kept(auditor):
    form = auditor.page(f"{REPORT}?sort=person").form_with("Apply filters")
    assert form.fields.get("rank", []) == []
    page = auditor.page(f"{REPORT}?rank=Constable&rank=Sergeant&status=overdue&sort=person")

    assert people(page) == ["S1", "N2", "D1001"]
    assert page.form_with("Apply filters").fields["rank"] == ["Constable", "Sergeant"]
    assert "Remove the filter Rank or grade: Constable or Sergeant" in page.links
    turned = auditor.page(page.links["Person"])
    assert people(turned) == people(page)[::-1]
    one = auditor.page(page.links["Sergeant"])
    assert one.form_with("Apply filters").fields["rank"] == ["Sergeant"]


@pytest.mark.parametrize(
    ("column", "first"),
    [("Person", "S1"), ("Rank or grade", "S1"), ("Role", "C1"), ("Unit", "C1"), ("Due", "S1")],
)
def test_heads_sort_and_turn_round(auditor, column, first):
    page = auditor.page(auditor.page(REPORT).links[column])

    assert people(page)[0] == first
    assert [words(head) for head in page.all("th", aria_sort="ascending")] == [f"{column} ▲"]
    turned = auditor.page(page.links[column])
    assert people(turned) == people(page)[::-1]


def test_of_people_equally_late_those_with_most_to_do_come_first(client, monkeypatch):
    world = make_world()
    make_record(world.people["S1"], world.activities[1], date(2026, 5, 20))
    with time_machine.travel(TODAY, tick=False):
        auditor = enter(client, world, "D6001")

        assert people(auditor.page(f"{REPORT}?status=late")) == ["N2", "D1001", "S1"]
        assert people(auditor.page(f"{REPORT}?status=late&sort=-status")) == ["S1", "D1001", "N2"]
        assert people(auditor.page("/monitoring")) == ["N2", "D1001", "S1"]

        monkeypatch.setattr(paging, "MOST_COUNTED", 2)
        by_name = people(auditor.page(f"{REPORT}?status=late&sort=person"))
        assert by_name != ["N2", "D1001", "S1"]
        assert people(auditor.page(f"{REPORT}?status=late")) == by_name


def test_ranks_stand_in_the_order_of_ranks_wherever_they_are_listed(client):
    world = make_world()
    for number, rank in enumerate(("Chief Inspector", "Police Staff", "Special Constable", "Inspector")):
        world.person(f"R{number}", "crime", rank=rank)
    auditor = enter(client, world, "D6001")
    ranks = ["Special Constable", "Constable", "Sergeant", "Inspector", "Chief Inspector", "Police Staff"]

    page = auditor.page(f"{REPORT}?sort=rank")

    shown = list(dict.fromkeys(words(row[-3]) for row in rows_of(page)))
    assert shown == ranks
    turned = auditor.page(page.links["Rank or grade"])
    assert list(dict.fromkeys(words(row[-3]) for row in rows_of(turned))) == ranks[::-1]
    assert [field.get("value") for field in page.all("input", name="rank")] == ranks
    (table,) = [each for each in page.all("table") if "by rank or grade" in words(each[0])]
    assert [words(row[0]) for row in table.iter(f"{H}tr")][1:] == ranks


def test_more_people_than_can_be_reminded_or_asked_for_at_once_are_filtered_first(client, monkeypatch):
    world = make_world()
    make_grant(world.people["D6001"], "directive-owner")
    owner = enter(client, world, "D6001")
    page = owner.page(REPORT)
    assert {"Remind all 3 who have not finished", "an exemption", "a deferral"} <= set(page.links)
    monkeypatch.setattr(reminders_services, "MOST", 2)
    monkeypatch.setattr(services, "MOST", 5)

    page = owner.page(REPORT)

    assert not {"an exemption", "a deferral"} & set(page.links)
    assert "filter the list to at most 2 of them" in page.text
    assert "for several people at once, filter the list to at most 5 people" in page.text
    for path in ("/monitoring", "/desk"):
        assert "Remind all" not in owner.page(path).text


def test_every_link_that_promises_people_leads_to_the_list(auditor):
    report = auditor.page(f"{REPORT}?as_at=2026-05-20")
    (heading,) = report.all("h2", id="people")
    assert (words(heading), heading.get("tabindex")) == ("6 people", "-1")

    late = auditor.page(auditor.page("/monitoring").links["3 Overdue"])
    promises = [*page_links(auditor.page("/monitoring")), *page_links(report), *page_links(late)]
    promises += page_links(auditor.page("/directives")) + page_links(auditor.page("/directives/OIC-2026"))

    assert len(promises) > 12
    assert [link for link in promises if not link[1].endswith("#people")] == []
    assert [words(h2) for h2 in late.all("h2", id="people")] == ["3 people: overdue"]


def page_links(page: Page) -> list[tuple[str, str]]:
    """The links of a page whose words say a number of people, or that turn a list of them round."""
    promise = re.compile(
        r"^(?:See all )?[\d,]+ (?:\w+ )*(?:people|person)\b|^\d+ (?:Complete|Overdue|In pro|Not st)"
    )
    heads = (
        "Person",
        "Overall",
        "Due",
        "Rank or grade",
        "Role",
        "Unit",
        "Clear filters",
        "Remove the filter",
    )
    return [
        (text, href)
        for text, href in page.links.items()
        if promise.search(text) or (text.startswith(heads) and "/monitoring/directives/" in href)
    ]


def test_the_columns_that_one_chooses_are_kept_in_every_link(auditor):
    page = auditor.page(f"{REPORT}?sort=person&status=late")
    form = page.form_with("Show columns")
    assert "manager" not in form.fields["columns"]
    assert len(form.fields["columns"]) == 6  # two modules, due, rank, role and unit

    chosen = auditor.page(f"{REPORT}?sort=person&status=late&columns=unit&columns=manager")

    assert [words(head) for head in chosen.all("th", scope="col")][-4:] == [
        *("Person ▲", "Overall", "Unit", "Line manager")
    ]
    assert [words(cell) for cell in rows_of(chosen)[2]][1:] == ["Overdue", "Response, North", "Daniel Okafor"]
    for link in ("Overall", "Remove the filter Status: overdue or expired"):
        followed = auditor.page(chosen.links[link])
        assert followed.form_with("Show columns").fields["columns"] == ["unit", "manager"]
    assert chosen.form_with("Apply filters").fields["columns"] == ["unit,manager"]
    assert chosen.form_with("Show position").fields["columns"] == ["unit,manager"]
    refused = auditor.page(f"{REPORT}?columns=unit,colour", 400)
    assert "“colour” is not a known column." in refused.text


def test_a_filtered_file_says_of_whom_in_its_name_and_its_definition(auditor):
    north = "Westshire+Police/Local+Policing/Response,+North"
    files = {
        "?role=response&rank=Sergeant": "response-Sergeant",
        f"?unit={north}&status=late": "Response-North-overdue-or-expired",
        "?q=Castell&late=31-90": "31-to-90-days-search",
        "": "",
    }
    for query, of_whom in files.items():
        response = auditor.get(f"{REPORT}/completions.json{query}")
        name = response.headers["Content-Disposition"].partition("filename=")[2].strip('"')
        assert name == f"OIC-2026-completions-2026-06-01{'-' if of_whom else ''}{of_whom}.json"
    definition = auditor.get(f"{REPORT}/completions.json?role=response&status=late").get_json()["definition"]
    assert (definition["numerator"], definition["denominator"], definition["listed"]) == (1, 4, 3)
    assert definition["everyone"] == {"numerator": 2, "denominator": 5, "percentage": 40, "assigned": 6}


def test_after_a_renaming_an_old_address_leads_to_the_unit(auditor):
    with transaction():
        above = "Westshire Police/Local Policing"
        former, current = f"{above}/Response, North", f"{above}/Neighbourhood, North"
        rename_unit(former, current, on=date(2026, 5, 15), at=stamp())
    old, new = urlencode({"unit": former}), urlencode({"unit": current})

    for path in (REPORT, "/monitoring", f"{REPORT}/changes"):
        answer = auditor.get(f"{path}?{old}")
        assert (answer.status_code, answer.location) == (303, f"{path}?{new}")
    page = auditor.page(f"{REPORT}?{old}&status=late")
    assert page.h1 == "Neighbourhood, North, overdue or expired: 2 of 3 people"
    assert auditor.page(f"{REPORT}?{new}&as_at=2026-05-14").h1.startswith("Response, North, on 14 May 2026")
    assert "Neighbourhood-North" in auditor.get(f"{REPORT}/people.csv?{old}").headers["Content-Disposition"]


@pytest.mark.slow
def test_a_long_table_is_paged_on_the_server_without_gap_or_repeat(client):
    world = make_world()
    for number in range(40):
        world.person(f"X{number:02}", "north", surname="Same", forenames="Name")
    enter(client, world, "D6001")

    first = client.page(REPORT)
    second = client.page(first.links["Next 21"])

    assert "Showing 1 to 25 of 46" in first.text
    assert "Showing 26 to 46 of 46" in second.text
    assert len({*people(first), *people(second)}) == 46
    assert client.page(f"{REPORT}?page=99").text == second.text


@pytest.mark.slow
def test_pages_of_every_order_follow_one_another(client):
    """The page of a status begins where the figures say, whatever stands before it."""
    world = make_world()
    for number in range(50):
        person = world.person(f"X{number:02}", ("north", "crime")[number % 2], surname=f"Name {number % 7}")
        if number % 3 == 0:
            make_record(person, world.activities[1], date(2026, 3, 2 + number % 20))
        if number % 3 == 0 and number % 2:
            make_record(person, world.activities[2], date(2026, 3, 2 + number % 20))
        if number % 5 == 0:
            make_exclusion(person, world.directive, date(2026, 2, 1))
    enter(client, world, "D6001")

    for sort in ("status", "-status", "person", "-due", "rank", "-role", "unit"):
        pages = [client.page(f"{REPORT}?sort={sort}&page={number}") for number in (1, 2, 3)]

        staff_numbers = [number for page in pages for number in people(page)]
        assert len(staff_numbers) == len(set(staff_numbers)) == 56, sort
        if sort.endswith("status"):
            worst_first = list(STATUS_WORDS.values())[2:]
            ranks = [worst_first.index(words(row[1])) for page in pages for row in rows_of(page)]
            assert ranks == sorted(ranks, reverse=sort.startswith("-")), sort
            assert len(set(ranks)) == 3, sort


def rows_of(page: Page) -> list[list[Any]]:
    """The cells of every row of the table of people."""
    lines = [list(row) for row in page.all("tr")]
    return [cells for cells in lines if cells[0].get("scope") == "row"]


@pytest.mark.slow
def test_a_page_and_a_file_of_twenty_ask_no_more_than_of_two(client):
    world = make_world()
    enter(client, world, "D6001")

    def asked() -> list[int]:
        counts = []
        for path in (REPORT, f"{REPORT}/completions.csv", "/monitoring", "/people"):
            with statements() as run:
                assert client.get(path).status_code == 200
            counts.append(len(run))
        return counts

    client.page(REPORT)  # the day's first look is kept
    few = asked()
    for number in range(18):
        world.person(f"X{number:02}", "crime", "D2002")

    assert asked() == few


def test_a_directive_nobody_issued_is_not_found(auditor):
    auditor.page("/monitoring/directives/NONE-1", 404)


def test_before_the_directive_nobody_was_required(auditor):
    page = auditor.page(f"{REPORT}?as_at=2025-12-31")

    assert page.h1 == "On 31 December 2025, nobody was required"
    assert csv_rows(auditor, "?as_at=2025-12-31") == []


def test_the_overview_says_who_is_missing_and_gives_the_files(auditor):
    page = auditor.page("/monitoring")

    assert page.h1 == "3 people are overdue"
    assert "40% complete 2 of 5 people" in page.text
    assert "1 exempt person is not counted." in page.text
    assert "due 30 April 2026" in page.text
    assert people(page) == ["S1", "N2", "D1001"]
    assert "32 days 2 of 2 modules" in page.text
    assert auditor.get(page.links["CSV of OIC-2026"]).status_code == 200


def test_the_overview_counts_what_changed_in_a_week_and_what_is_due(client):
    with time_machine.travel(datetime(2026, 4, 24, 9, tzinfo=UTC), tick=False):
        world = make_world(late_import=False)
        page = enter(client, world, "D6001").page("/monitoring")

    assert page.h1 == "Nobody is overdue"
    figures = [words(figure) for figure in page.all("dl", class_="portal-figures")[0]]
    assert "Due in 30 days 4 people due in 30 days for OIC-2026" in figures
    assert "Since 17 April 2026 1 more complete" in figures
