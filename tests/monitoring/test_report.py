"""The report of a directive as its readers meet it."""

import time_machine

from tests.monitoring.world import REPORT, TODAY, enter, make_world


@time_machine.travel(TODAY, tick=False)
def test_the_heading_is_the_answer_with_its_definition_and_both_times(client):
    enter(client, make_world(), "D6001")

    page = client.page(REPORT)

    assert page.h1 == "40% complete: 2 of 5 people"
    assert "6 assigned, less 1 exempt" in page.text
    assert "As at 1 June 2026, as known now" in page.text


@time_machine.travel(TODAY, tick=False)
def test_csv(client):
    enter(client, make_world(), "D6001")
    print(client.get(REPORT + "/completions.csv").get_data(as_text=True))
    print(client.page("/monitoring").text)
    print(client.page(REPORT).text)
    assert client.get(REPORT + "/completions.xlsx").status_code == 200
