"""The overview: the viewer's command first, a unit in the address, and past positions."""

from datetime import date
from io import BytesIO
from urllib.parse import quote, urlencode

import pytest
import time_machine
from pypdf import PdfReader

from portal.domain.directives.models import Directive
from portal.platform.db import transaction
from tests.domain.status.facts import add, make_activity, make_exclusion, make_record, make_version
from tests.factories.people import make_unit
from tests.page_reading import H, PortalClient, words
from tests.pages.monitoring.counting import statements
from tests.pages.monitoring.reading import parsed
from tests.pages.monitoring.test_charts import table_after, table_of
from tests.pages.monitoring.test_report import people
from tests.pages.monitoring.world import MARCH, REPORT, TODAY, enter, make_world


@pytest.fixture
def auditor(client):
    with time_machine.travel(TODAY, tick=False):
        yield enter(client, make_world(), "D6001")


def test_my_command_stands_first_with_its_units(client):
    with time_machine.travel(TODAY, tick=False):
        page = enter(client, make_world(), "D2003").page("/monitoring")

        assert page.h1 == "3 people in Local Policing are overdue"
        heads = [words(head) for head in page.all("h2")]
        assert heads[0] == "Local Policing: 25% have completed all required training: 1 of 4 people."
        assert table_after(page, COMMAND) == [
            ["Response/South", "", "0% – 0 of 1"],
            ["Response, North", "", "33% – 1 of 3"],
        ]
        (link,) = [a for a in table_of(page, COMMAND).iter(f"{H}a") if words(a) == "Response/South"]
        south = client.page(link.get("href") or "")
        assert south.h1 == "1 person in Response/South is overdue"
        assert people(south) == ["S1"]
        assert "0% complete 0 of 1 person" in south.text
        file = client.get(south.links["CSV of OIC-2026"]).get_data(as_text=True)
        assert {row["staff_number"] for row in parsed(file)} == {"S1", "S2"}
        late = client.page(south.links["1 person overdue for OIC-2026"])
        assert people(late) == ["S1"]


COMMAND = "People who have completed all required training, by unit, the lowest first"


def test_a_person_under_two_directives_counts_once_in_the_command(client):
    with time_machine.travel(TODAY, tick=False):
        world = make_world()
        other = add(Directive(reference="TWO-1"))
        make_version(other, {1: make_activity()}, effective_on=date(2026, 1, 1))
        make_exclusion(world.people["S2"], other, date(2026, 4, 1))
        page = enter(client, world, "D2003").page("/monitoring")

        # N1 has completed one directive and not the other; D2001 and D2003 are under the other alone
        assert "Local Policing: 0% have completed all required training: 0 of 6 people." in page.text


@pytest.mark.parametrize(
    "path", ["/monitoring?unit=Westshire+Police", f"{REPORT}?unit=Westshire+Police&late=31-90"]
)
def test_one_link_shows_each_manager_their_own_people_only(app, client, path):
    with time_machine.travel(TODAY, tick=False):
        world = make_world()
        local = enter(client, world, "D2003").page(path)
        assert set(people(local)) == {"S1", "N2", "D1001"}
        crime = enter(PortalClient(app), world, "D2002").page(path)
        assert people(crime) == []
        assert not {"S1", "N2", "D1001"} & set(crime.text.split())
        assert "1 of 1 person" in crime.text


def test_the_heading_of_a_shared_link_claims_no_more_than_its_reader_sees(app, client):
    with time_machine.travel(TODAY, tick=False):
        world = make_world()
        assert (
            enter(client, world, "D2003").page("/monitoring?unit=Westshire+Police").h1
            == "3 people you can see in Westshire Police are overdue"
        )
        page = enter(PortalClient(app), world, "D2002").page(
            "/monitoring?unit=Westshire+Police/Local+Policing", 400
        )
        assert page.h1 == "Nobody in Crime is overdue"
        assert "“Westshire Police/Local Policing” is not a known unit." in page.text


def test_the_overview_of_a_past_position_says_what_was_known_then(client):
    with time_machine.travel(TODAY, tick=False):
        client = enter(client, make_world(), "D2003")
        asked = client.press(
            client.page("/monitoring"), "Show position", as_at="6/5/2026", as_known_on="8 May 2026"
        )

        assert asked.h1 == "On 6 May 2026, 3 people in Local Policing were overdue"
        assert "Position on 6 May 2026" in asked.text
        assert "6 days 2 of 2 modules" in asked.text
        assert "Minutes still to learn Not available for past dates" in asked.text
        report = client.page(asked.links["3 people overdue for OIC-2026"])
        assert report.h1 == "Overdue or expired, on 6 May 2026: 3 of 5 people"
        assert "Everyone you can see: 25% were complete, 1 of 4 people; 5 assigned, less 1" in report.text
        assert set(people(report)) == {"S1", "N2", "D1001"}
        file = client.get(asked.links["CSV of OIC-2026"]).get_data(as_text=True)
        assert {row["as_at"] for row in parsed(file)} == {"2026-05-06"}
        assert {row["as_known_on"] for row in parsed(file)} == {"2026-05-08T22:59:59.999999Z"}
        assert client.page(asked.links["Show today"]).h1 == "3 people in Local Policing are overdue"


def test_before_anything_was_known_the_overview_has_no_card(client):
    with time_machine.travel(TODAY, tick=False):
        page = enter(client, make_world(), "D6001").page(
            "/monitoring?as_at=2026-02-01&as_known_on=2026-02-01"
        )

        assert page.h1 == "On 1 February 2026, nobody was overdue"
        assert not page.all("section", class_="portal-card")


def test_nobody_is_listed_as_overdue_under_a_directive_that_they_completed(client):
    with time_machine.travel(MARCH, tick=False):
        world = make_world()
    early = add(Directive(reference="EARLY-1"))
    audience = {"audience": [{"designated_role": ["response"]}], "except": []}
    rules = {"effective_on": date(2026, 1, 1), "due_fixed_on": date(2026, 2, 1), "audience": audience}
    make_version(early, {1: world.activities[1]}, **rules)
    make_record(world.people["D1001"], world.activities[1], date(2026, 1, 20))
    with time_machine.travel(TODAY, tick=False):
        page = enter(client, world, "D6001").page("/monitoring")

        (table,) = [each for each in page.all("table") if "Overdue by" in words(each)]
        rows = [words(row) for row in table.iter(f"{H}tr")]
        assert [row for row in rows if "D1001" in row and "EARLY-1" in row] == []
        assert len([row for row in rows if "D1001" in row]) == 1
        assert len([row for row in rows if "EARLY-1" in row]) >= 2  # others are, and first


def test_the_overview_takes_as_many_statements_for_twenty_directives_as_for_two(app, database):
    with time_machine.travel(MARCH, tick=False):
        world = make_world()
    with time_machine.travel(TODAY, tick=False):  # all, a command, a team
        clients = [enter(PortalClient(app), world, viewer) for viewer in ("D6001", "D2003", "D2001")]
    counts = []
    for added in (1, 18):
        with time_machine.travel(MARCH, tick=False), transaction():
            for number in range(added):
                directive = add(Directive(reference=f"MORE-{added}-{number}"))
                make_version(directive, world.activities, effective_on=date(2026, 1, 1))
        with time_machine.travel(TODAY, tick=False):
            counts.append([count_statements(each, query) for each in clients for query in POSITIONS])

    assert counts[0] == counts[1]


POSITIONS = ("", "?as_at=2026-05-20&as_known_on=2026-05-05")


def count_statements(client, query):
    client.page(f"/monitoring{query}")
    with statements() as seen:
        client.page(f"/monitoring{query}")
    return len(seen)


def test_a_card_shows_ranks_and_roles_when_asked_each_leading_to_its_people(client):
    with time_machine.travel(TODAY, tick=False):
        client = enter(client, make_world(), "D2003")
        page = client.page("/monitoring")
        name = "OIC-2026: people complete"
        assert "complete, by rank or grade" not in page.html

        page = client.page(page.links[f"Show by rank or grade and by role: {name}"])

        assert table_after(page, f"{name}, by rank or grade") == [
            ["Constable", "", "33% – 1 of 3"],
            ["Sergeant", "", "0% – 0 of 1"],
        ]
        assert table_after(page, f"{name}, by designated role, the lowest first") == [
            ["Response", "", "25% – 1 of 4"]
        ]
        assert people(client.page(page.links["Sergeant"])) == ["N2"]


def test_the_command_by_rank_and_role_adds_up_to_its_whole(client):
    with time_machine.travel(TODAY, tick=False):
        client = enter(client, make_world(), "D2003")
        page = client.page("/monitoring?unit=Westshire+Police/Local+Policing/Response,+North")
        whole = "Response, North: 33% have completed all required training: 1 of 3 people."
        assert whole in page.text
        name = "People who have completed all required training"

        page = client.page(page.links[f"Show by rank or grade and by role: {name}"])

        assert whole in page.text  # still of the unit asked for
        assert table_after(page, f"{name}, by rank or grade") == [
            ["Constable", "", "50% – 1 of 2"],
            ["Sergeant", "", "0% – 0 of 1"],
        ]
        assert table_after(page, f"{name}, by designated role, the lowest first") == [
            ["Response", "", "33% – 1 of 3"]
        ]


def test_groups_of_a_directive_that_is_none_are_refused(auditor):
    page = auditor.page("/monitoring?open=NO-SUCH", 400)
    assert "“NO-SUCH” is not a known directive. Choose OIC-2026 or *." in page.text


def test_units_of_one_name_are_told_apart_everywhere_but_in_columns(client):
    with time_machine.travel(TODAY, tick=False):
        world = make_world()
        for side in ("north", "south"):
            world.units[f"{side} team"] = make_unit("Team A", world.units[side])
            world.person(f"T-{side}", f"{side} team")
        admin = enter(client, world, "D6001")
        north = "Westshire Police/Local Policing/Response, North/Team A"

        report = admin.page(f"{REPORT}?{urlencode({'unit': north})}")
        person = admin.page("/people/T-north")
        search = admin.page("/people?q=T-")
        overview = admin.page(f"/monitoring?{urlencode({'unit': north})}")
        above = admin.page(f"{REPORT}?unit={quote('Westshire Police/Local Policing')}")
        file = admin.get(f"{REPORT}/completions.csv?{urlencode({'unit': north})}").get_data(as_text=True)
        pdf = admin.get(f"{REPORT}/completions.pdf?{urlencode({'unit': north})}").data

    assert "Unit: Response, North, Team A" in report.text
    options = [words(option) for option in report.all("option")]
    assert "– – – Response, North, Team A" in options
    assert "T-north · Constable · Response, North, Team A" in person.text
    assert "Response, North, Team A" in search.text
    assert "Response/South, Team A" in search.text
    assert "in Response, North, Team A" in overview.h1
    assert "Response/South" in above.text
    assert {(row["unit"], row["unit_path"].replace("//", "|")) for row in parsed(file)} == {("Team A", north)}
    assert "Response, North, Team A" in PdfReader(BytesIO(pdf)).pages[0].extract_text()
