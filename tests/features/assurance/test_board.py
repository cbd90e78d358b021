"""The board as a page and as one sheet of A4: the answers, what is next, and who."""

import io
import re
from datetime import date, timedelta

import pytest
import time_machine
from pypdf import PdfReader

from portal.domain.accounts import services
from portal.platform import clock
from portal.platform.audit import AuditEvent
from portal.platform.db import db, transaction
from tests.features.assurance.board.boarding import TITLES, TODAY, BoardWorld, make_board_world
from tests.features.assurance.desk_browsing import AUDITOR, LEARNER, MANAGER, make_desk_people, sign_in_each
from tests.features.assurance.factories import (
    give_owner,
    make_action,
    make_evidence,
    make_judgement,
    make_recommendation,
)
from tests.page_reading import PortalClient, words
from tests.pages.account.browsing import PASSWORD, let_in

THEN = "?as_at=2026-04-30&as_known_on=2026-04-30"


@pytest.fixture
def world(database):
    with time_machine.travel(TODAY, tick=False):
        yield make_board_world()


@pytest.fixture
def auditor(client: PortalClient, world: BoardWorld) -> PortalClient:
    with transaction():
        services.set_password(world.auditor, PASSWORD, clock.now())
    let_in(client, AUDITOR)
    return client


def test_the_four_answers_are_one_table(auditor):
    board = auditor.page("/assurance")

    assert board.h1 == "1 of 4 recommendations is met"
    rows = [words(row) for row in board.all("tr")][1:5]
    for row, title in zip(rows, TITLES.values(), strict=True):
        assert row.startswith(title)
        assert "Ruth Hale" in row
    assert "Partly met since 30 April 2026" in rows[3]
    assert "40% 2 of 5 counted Everyone complete; at least 95%" in rows[3]
    assert "47 days late: A-" in rows[3]
    assert "The deadline was" in rows[3]
    assert "1 September 2026" in rows[1]
    assert board.links[TITLES["plan"]] == "/assurance/plan"
    assert board.links["Make the answer to the inspection as a pack (ZIP)"] == "/assurance/pack"
    assert board.links["Yours to do"] == "/assurance/mine"
    assert board.links["Evidence: 1 of 1 needs attention"] == "/assurance/e-learning#evidence"


def test_each_figure_says_whom_it_counts(auditor, world):
    definition = {"event_type": "oic-hydra", "threshold": "0.9"}
    hydra = world.recommendations["hydra"]
    make_evidence(hydra, "attendance", definition, by=world.owner, title="All attended")

    board = auditor.page("/assurance")

    assert "0% 0 of 7 in post All attended; at least 90%" in board.text
    assert "2 of 5 counted Everyone complete; at least 95%" in board.text
    evidence = auditor.page(board.links["All attended; at least 90%"])
    assert (
        "Everybody in this group with a post on this day, whether a directive counts them or not."
        in evidence.text
    )


def test_a_past_position_is_shown_as_it_was_known_then(auditor):
    then = auditor.page(f"/assurance{THEN}")
    now = auditor.page("/assurance?as_at=2026-04-30")

    assert then.h1 == "On 30 April 2026, 0 of 4 recommendations were met"
    assert now.h1 == "On 30 April 2026, 1 of 4 recommendations was met"
    assert "Show today" in then.links
    assert "20% 1 of 5" in then.text
    assert "40% 2 of 5" in now.text
    assert then.links[TITLES["plan"]].startswith("/assurance/plan?as_at=2026-04-30&as_known_on=2026-04-30")
    auditor.page("/assurance?as_at=soon", 400)


def test_the_year_is_a_picture_that_a_table_repeats(auditor):
    board = auditor.page("/assurance")

    pictures = [each.get("aria-label") for each in board.all("div") if each.get("role") == "img"]
    assert len(pictures) == 4
    assert pictures[3].startswith("Not judged from June 2025 to March 2026; Partly met from April 2026")
    april = next(
        words(row) for row in board.all("tr") if words(row).startswith("30 April 2026 Partly met, 40%")
    )
    assert april == "30 April 2026 Partly met, 40% – 2 of 5 Not judged, 20% – 1 of 5"
    assert board.links["Not judged, 20% – 1 of 5"] == f"/assurance{THEN}"


def test_changes_of_the_week_name_their_causes(auditor):
    board = auditor.page("/assurance?as_at=2026-05-12")

    assert "Changes since 5 May 2026" in board.text
    assert "Everyone complete: 40% – 2 of 5 (was 20% – 1 of 5). 1 more done." in board.text
    assert "Entered since, for earlier days: 1 more done." in board.text
    assert "Completed: 1 person." in board.text
    assert "10 May 2026: Judged “Partly met” as at 30 April 2026. Why: The figures say so." in board.text


@pytest.mark.slow
def test_the_sheet_is_one_tagged_page_and_recorded(auditor):
    board = auditor.page("/assurance")
    response = auditor.get(board.links["Download this page as one sheet of A4 (PDF)"])

    assert response.status_code == 200
    assert response.headers["Content-Disposition"] == "attachment; filename=assurance-2026-06-01.pdf"
    reader = PdfReader(io.BytesIO(response.data))
    assert reader.trailer["/Root"]["/MarkInfo"]["/Marked"]
    (page,) = reader.pages
    text = re.sub(r"\s+", " ", page.extract_text())
    assert "1 of 4 recommendations is met" in text
    for title in TITLES.values():
        assert title.split()[0] in text
    assert "2 of 5" in text
    assert "P 40%" in text
    event = db.session.query(AuditEvent).filter_by(action="assurance.board_exported").one()
    assert event.detail["as_at"] == "2026-06-01"
    assert auditor.get("/assurance/board.pdf?as_at=soon").status_code == 400


@pytest.mark.slow
def test_the_longest_texts_still_fit_on_one_page(client, world, auditor):
    long = "Everything that the force has to say about it " * 3
    with time_machine.travel(TODAY - timedelta(days=1), tick=False):
        for place, key in enumerate(TITLES, 1):
            found = make_recommendation(key, title=long[:150], place=place)
            make_evidence(
                found,
                "figure",
                {"directive": "OIC-2026", "requirement": "", "threshold": "1"},
                by=world.owner,
                title=long[:150],
            )
            give_owner(found, world.auditor, by=world.owner)
            for _ in range(8):
                make_action(found, by=world.owner, title=long[:150], due_on=date(2026, 5, 1))
            make_action(found, by=world.owner, title=long[:150], due_on=date(2026, 7, 1))
            make_judgement(found, "partly_met", by=world.owner)

    response = auditor.get("/assurance/board.pdf")

    assert len(PdfReader(io.BytesIO(response.data)).pages) == 1


def test_an_empty_desk_says_what_is_missing(app, database):
    make_desk_people()
    page = sign_in_each(app)(AUDITOR).page("/assurance")

    assert page.h1 == "No recommendation is published"
    assert "recommendations publish" in page.text


def test_the_sheet_is_for_whoever_sees_the_whole_force(app, database):
    make_desk_people()
    browser_of = sign_in_each(app)

    for number in (MANAGER, LEARNER):
        assert browser_of(number).get("/assurance/board.pdf").status_code == 403
