"""Pages and packs of the desk take as many statements for twenty of everything as for two."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import time_machine

from portal.domain.people.queries import COMMAND_LINE
from portal.domain.reports.parameters import read_position_today
from portal.features.assurance.models import AssuranceDecision
from portal.features.dip_samples.rules import SampleCounts
from portal.features.packs.services import ALL, NAMES, AnswerWish, make_answer_pack
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from tests.factories.people import make_grant, make_unit
from tests.features.assurance.board.boarding import FIGURE, MAY, TODAY, BoardWorld, make_board_world
from tests.features.assurance.factories import make_action, make_evidence, make_judgement
from tests.features.dip_samples.factories import make_sample
from tests.pages.account.browsing import let_in, make_account
from tests.pages.monitoring.counting import statements

pytestmark = pytest.mark.slow
PAGES = (
    "/assurance",
    "/assurance/mine",
    "/assurance/e-learning",
    "/assurance/e-learning/history",
    "/assurance/e-learning/judgement/new",
    "/assurance/e-learning/narrative",
    "/assurance/e-learning/pack",
    "/assurance/board.pdf",
    "/dip-samples",
    "/dip-samples/figures",
    "/dip-samples/figures?months=24",
)
SAMPLES = {"measure": "submitted", "months": 3, "threshold": "0.9"}
STATEMENT = {"text": "We did.", "post": "Head of Crime"}
LINK = {"address": "https://police.example/plan"}


def add_more(world: BoardWorld, count: int) -> None:
    """So many more actions, pieces of evidence, decisions, judgements, units and their months."""
    recommendation, by = world.recommendations["e-learning"], world.owner
    for number in range(count):
        make_action(recommendation, by=by, owner_id=by, due_on=date(2026, 5, 1 + number))
        make_evidence(recommendation, "figure", {**FIGURE, "threshold": f"0.{50 + number}"}, by=by)
        make_evidence(recommendation, "samples", {**SAMPLES, "months": 1 + number}, by=by)
        make_evidence(recommendation, "statement", STATEMENT, by=by, review_on=date(2026, 5, 2))
        make_evidence(recommendation, "link", LINK, by=by)
        make_judgement(recommendation, "not_met", by=by, confirmed_by=world.auditor)
        with transaction():
            db.session.add(
                AssuranceDecision(
                    recorded_at=stamp(),
                    recommendation_id=recommendation,
                    from_on=date(2026, 5, 1),
                    title=f"Decision {number}",
                    text="Do it.",
                    decided_by="Board",
                    recorded_by_id=by,
                )
            )
        unit = make_unit(f"Team {count}-{number}")
        for month in (date(2026, 3, 1), date(2026, 4, 1)):
            make_sample(unit, by, month, SampleCounts(12, 9, 8, 5, 4, 5, 1))


@pytest.fixture
def world(client, database):
    """The desk of the board's tests with two of everything; somebody who may see it is signed in."""
    world = make_board_world()
    with time_machine.travel(MAY + timedelta(days=1), tick=False):
        add_more(world, 2)
    with time_machine.travel(TODAY, tick=False):
        make_grant(make_account("D4009"), "directive-owner")
        let_in(client, "D4009")
        yield world


def add_eighteen(world: BoardWorld) -> None:
    with time_machine.travel(MAY + timedelta(days=2), tick=False):
        add_more(world, 18)


def test_pages_take_as_many_statements_for_twenty_as_for_two(client, world):
    counts: dict[str, list[int]] = {}
    for _ in range(2):
        for path in PAGES:
            assert client.get(path).status_code == 200, path
            with statements() as asked:
                client.get(path)
            counts.setdefault(path, []).append(len(asked))
        add_eighteen(world)

    assert {path: few for path, (few, many) in counts.items() if few != many} == {}, counts


@pytest.mark.parametrize("edition", NAMES)
def test_an_answer_pack_takes_as_many_statements_for_twenty_as_for_two(world, tmp_path, edition):
    few = count_statements(edition, tmp_path / "few")
    add_eighteen(world)

    assert count_statements(edition, tmp_path / "many") == few


def count_statements(edition: str, folder: Path) -> int:
    """How many statements a pack of all recommendations takes."""
    folder.mkdir()
    wish = AnswerWish(ALL, edition, read_position_today(clock.now()), "Westshire Police", 5)
    with statements() as asked:
        make_answer_pack(wish, COMMAND_LINE, folder, folder.with_suffix(".zip"), lambda _rows: None)
    return len(asked)
