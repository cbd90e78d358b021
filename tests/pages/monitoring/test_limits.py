"""The limit on how many files one person may download in a few minutes."""

import pytest
import time_machine

from tests.page_reading import Page
from tests.pages.monitoring.world import REPORT, TODAY, enter, make_world


@pytest.mark.slow
@time_machine.travel(TODAY, tick=False)
def test_a_person_who_downloads_without_end_is_asked_to_wait(client):
    enter(client, make_world(), "D2001")
    codes = [client.get(f"{REPORT}/completions.csv").status_code for _ in range(30)]

    refused = client.get(f"{REPORT}/completions.xlsx")

    assert set(codes) == {200}
    assert refused.status_code == 429
    assert "wait" in Page(refused, "completions.xlsx").text.lower()
