"""Answer packs by the page: asked for, made by a job, taken by who asked, and the same as by the command."""

import hashlib
from datetime import UTC, date, datetime

import pytest
import time_machine

from portal.platform.db import transaction
from tests.features.assurance.factories import give_owner, make_evidence, make_recommendation
from tests.features.packs.answer_reader import read_answer
from tests.pages.account.browsing import another
from tests.pages.monitoring.preparing import end_grants, events, link, run_jobs
from tests.pages.monitoring.world import TODAY, enter, make_world

pytestmark = pytest.mark.slow

PATH = "/assurance/e-learning/pack"
POSITION = "as_at=2026-05-31&as_known_on=2026-05-31"
FIGURE = {"directive": "OIC-2026", "requirement": "", "threshold": "0.9"}


@pytest.fixture
def clock():
    with time_machine.travel(TODAY, tick=False) as travelling:
        yield travelling


@pytest.fixture
def world(clock, client):
    """A force with a directive and a recommendation, and a change on the day of the test."""
    made = make_world()
    auditor = made.people["D6001"]
    with time_machine.travel(datetime(2026, 5, 20, 9, tzinfo=UTC), tick=False):
        recommendation = make_recommendation()
        give_owner(recommendation, auditor, by=auditor, on=date(2026, 1, 5))
        make_evidence(recommendation, "figure", FIGURE, by=auditor)
    give_owner(recommendation, made.people["D2003"], by=auditor)
    return made


@pytest.fixture
def auditor(client, world):
    return enter(client, world, "D6001")


def own_page(page):
    """The address of the page of a pack that is being made."""
    return page.links["Show the latest state"]


def made(app, client, address=f"{PATH}?{POSITION}", button="Make the answer pack"):
    """The page of a pack that a job has made."""
    page = client.press(client.page(address), button)
    assert page.h1 == "Your file is being made"
    run_jobs(app)
    return client.page(own_page(page))


def test_a_pack_is_made_by_one_click_and_is_that_of_the_command(app, auditor, world, tmp_path):
    page = made(app, auditor)
    answer = auditor.get(link(page))

    assert page.h1 == "Your file is ready"
    assert hashlib.sha256(answer.data).hexdigest() in page.text
    assert answer.headers["Content-Disposition"].endswith("e-learning-answer-pack-2026-05-31.zip")
    pack = read_answer(answer.data, tmp_path / "read")
    assert "Ada Auditor" in pack.text("answer.md")
    at = ("--as-at", "2026-05-31", "--as-known-on", "2026-05-31", "--output", str(tmp_path / "x.zip"))
    said = app.test_cli_runner().invoke(args=["report", "pack", "--recommendation", "e-learning", *at])
    assert said.exit_code == 0, said.output
    assert (tmp_path / "x.zip").read_bytes() == answer.data
    [by_page, by_command] = events("answer_pack.exported")
    assert (by_page.actor_id, by_command.actor_id) == (world.people["D6001"], None)
    [taken] = events("answer_pack.downloaded")
    assert (taken.detail["recommendation"], taken.detail["name"]) == ("e-learning", "answer-pack.zip")


def test_asked_twice_is_made_once_and_all_recommendations_have_one(app, auditor, tmp_path):
    first = made(app, auditor)
    again = auditor.press(auditor.page(f"{PATH}?{POSITION}"), "Make the answer pack")
    every = made(app, auditor, f"/assurance/pack?{POSITION}")

    assert link(again) == link(first)
    assert read_answer(auditor.get(link(every)).data, tmp_path / "read").manifest["pack"] == "answer"
    assert "e-learning" not in link(every)


def test_a_directive_too_small_for_an_foi_pack_is_no_annex(app, auditor, tmp_path):
    page = made(app, auditor, button="Make the FOI edition")
    pack = read_answer(auditor.get(link(page)).data, tmp_path / "read")

    assert "OIC-2026 is not an annex. So few people had to do this" in pack.text("README.txt").replace(
        "\n", " "
    )
    assert not [name for name in pack.files if name.endswith("-foi-pack.zip")]
    assert pack.rows("figures.csv")[0]["total"] == ""


def test_a_pack_is_its_requesters_alone_and_only_while_they_see_everyone(app, auditor, world):
    page = made(app, auditor)
    other = enter(another(app), world, "D2003")

    assert other.get(page.path).status_code == 403
    assert auditor.get(page.path.replace("assurance/pack", "monitoring")).status_code == 404
    with transaction():
        end_grants(world, "D6001")
    assert auditor.get(link(page)).status_code == 403


def test_no_pack_is_made_for_who_lost_their_role_before_the_job_ran(app, auditor, world):
    page = auditor.press(auditor.page(f"{PATH}?{POSITION}"), "Make the answer pack")
    end_grants(world, "D6001")

    run_jobs(app)

    assert events("answer_pack.exported") == []
    assert page.h1 == "Your file is being made"


def test_the_page_says_for_whom_each_edition_is_and_refuses_a_forecast(auditor):
    page = auditor.page(PATH)

    assert "It names people: who owns the recommendation" in page.text
    assert "It names nobody" in page.text
    assert "from 1 to 4" in page.text
    auditor.page(f"{PATH}?as_at=2026-06-01&as_known_on=2026-05-20", 400)
    auditor.page("/assurance/nothing/pack", 404)
    auditor.page(f"{PATH}?unit=x", 400)


def test_a_running_pack_is_cancelled_and_tried_again(app, auditor):
    page = auditor.press(auditor.page(f"{PATH}?{POSITION}"), "Make the answer pack")

    cancelled = auditor.press(page, "Cancel")
    again = auditor.press(cancelled, "Try again")

    assert cancelled.h1 == "Your file was cancelled"
    assert again.h1 == "Your file is being made"
    run_jobs(app)
    assert auditor.page(own_page(page)).h1 == "Your file is ready"
