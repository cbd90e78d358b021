"""The one large button never offers what a wait after a fail would refuse."""

import pytest

from tests.factories.catalogue import make_version
from tests.page_reading import words
from tests.pages.learning.asking import ask
from tests.pages.learning.working import learner, take

WAITS = "You can take the assessment of Protect again from 09:30 on 2 March 2026."


@pytest.mark.slow
def test_nothing_else_to_do_says_from_when(client, time_machine):
    time_machine.move_to("2026-03-02T09:00:00+00:00", tick=False)
    make_version(wait_minutes=30)
    ask("protect")
    learner(client)
    take(client, 0)

    page = client.page("/learning")

    assert WAITS in page.text
    assert page.all("a", class_="portal-next") == page.all("button", class_="portal-next") == []
    assert "Assessment to take again from 09:30 on 2 March 2026" in page.text

    time_machine.move_to("2026-03-02T09:30:01+00:00", tick=False)
    page = client.page("/learning")
    assert WAITS not in page.text
    assert client.press(page, "Take the assessment: ProtectAbout 10 minutes").text.startswith("Skip")


@pytest.mark.slow
def test_another_module_is_offered_meanwhile(client, time_machine):
    time_machine.move_to("2026-03-02T09:00:00+00:00", tick=False)
    make_version(wait_minutes=30)
    make_version("respond")
    ask("protect", "respond")
    learner(client)
    take(client, 0)

    page = client.page("/learning")
    (button,) = page.all("button", class_="portal-next")
    assert words(button).startswith("Start: Respond, lesson 1")
    assert WAITS not in page.text

    passed = take(client, 4, "respond")
    assert passed.h1 == "You passed"
    assert "1 module is left" in passed.text
    assert WAITS in passed.text
    assert passed.all("a", class_="portal-next") == []


def test_without_a_wait_one_may_go_on_at_once(client, time_machine):
    time_machine.move_to("2026-03-02T09:00:00+00:00", tick=False)
    make_version()
    ask("protect")
    learner(client)
    take(client, 0)

    assert "again from" not in client.page("/learning").text
    assert len(client.page("/learning").all("button", class_="portal-next")) == 1
