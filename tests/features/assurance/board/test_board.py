"""The board: each month end as known then and now, what moved in a week, and why."""

from datetime import date, timedelta
from typing import Any

import time_machine
from sqlalchemy import event

from portal.features.assurance import board as assurance_board
from portal.features.assurance.board import Board, BoardLine, list_positions, read_board, share_of
from portal.features.assurance.desk import read_desk
from portal.features.assurance.evidence import check_evidence
from portal.platform.db import db
from tests.features.assurance.board.boarding import (
    FIGURE,
    MAY,
    TODAY,
    change_action,
    make_board_world,
    position_at,
)
from tests.features.assurance.factories import make_action, make_evidence

APRIL_END = date(2026, 4, 30)


def line_of(board: Board, key: str = "e-learning") -> BoardLine:
    return next(line for line in board.lines if line.recommendation.key == key)


def test_a_month_end_is_shown_as_known_then_and_as_known_now(database: None) -> None:
    make_board_world()

    strip = line_of(read_board(position_at(TODAY.date()))).strip

    assert [frame.day for frame in strip.frames][-3:] == [date(2026, 4, 30), date(2026, 5, 31), TODAY.date()]
    april = strip.frames[-3]
    assert april.then is not None
    assert (april.then.state, april.now.state) == ("not_judged", "partly_met")
    assert (april.then.share.done, april.now.share.done) == (1, 2)
    assert strip.frames[0].then is None  # the portal did not know the recommendation
    assert [frame.day for frame in strip.differing_frames][-1] == APRIL_END
    assert strip.state_runs[-1] == ("partly_met", APRIL_END, TODAY.date())


def test_every_frame_is_what_the_desk_and_its_evidence_say_at_its_position(database: None) -> None:
    make_board_world()
    position = position_at(TODAY.date())
    board = read_board(position)

    for place, pair in enumerate(list_positions(position)):
        for side, at in zip(("then", "now"), pair, strict=True):
            desk = {recommendation.key: recommendation for recommendation in read_desk(at)}
            for line in board.lines:
                shown = getattr(line.strip.frames[place], side)
                recommendation = desk.get(line.recommendation.key)
                assert (shown is None) == (recommendation is None)
                if recommendation is None:
                    continue
                states = list(check_evidence(recommendation.evidence, at).values())
                assert shown.state == recommendation.state
                assert shown.share == share_of(states[0] if states else None)


def test_a_figure_that_moved_says_by_how_much_and_because_of_what(database: None) -> None:
    make_board_world()

    in_april = line_of(read_board(position_at(date(2026, 4, 22))))
    (move,) = in_april.moves
    assert (move.before, move.after) == ("0% – 0 of 5", "20% – 1 of 5")
    assert move.differences == ("1 more done",)
    assert "Completed: 1 person" in move.why
    assert assurance_board.week_words(in_april) == "1 more done"
    assert (
        assurance_board.week_words(line_of(read_board(position_at(date(2026, 4, 10)))))
        == "No change in a week"
    )


def test_what_was_entered_late_for_earlier_days_is_told_apart(database: None) -> None:
    make_board_world()

    (move,) = line_of(read_board(position_at(date(2026, 5, 12)))).moves

    assert move.after == "40% – 2 of 5"
    assert "Entered since, for earlier days: 1 more done" in move.why
    assert "Completed: 1 person" in move.why


def test_the_week_lists_what_was_recorded_with_its_reason(database: None) -> None:
    world = make_board_world()
    before = line_of(read_board(position_at(TODAY.date())))
    change_action(
        before.recommendation.actions[0].version.action_id,
        by=world.owner,
        on=date(2026, 5, 20),
        title="Brief every team",
        due_on=date(2026, 7, 1),
        state="under_way",
        reason="Two teams were on nights.",
        owner_id=world.owner,
    )

    line = line_of(read_board(position_at(TODAY.date())))

    (change,) = line.changes
    words = assurance_board.change_words(change)
    assert words.startswith("30 May 2026: Action A-")
    assert "under way (was not started), due 1 July 2026 (was 15 April 2026)" in words
    assert "owner Ruth Hale (was nobody)" in words
    assert "Why: Two teams were on nights." in words
    assert "True from 20 May 2026." in words
    assert not before.changes


def test_a_judgement_and_its_confirmation_are_changes_of_their_week(database: None) -> None:
    make_board_world()

    words = [
        assurance_board.change_words(change)
        for change in line_of(read_board(position_at(date(2026, 5, 12)))).changes
    ]

    assert any("Judged “Partly met” as at 30 April 2026" in each for each in words)
    assert any("Judgement “Partly met” confirmed by a second person" in each for each in words)


def test_dates_name_what_is_next_and_what_has_passed(database: None) -> None:
    make_board_world()
    board = read_board(position_at(TODAY.date()))

    late, plan, hydra = (line_of(board, key) for key in ("e-learning", "plan", "hydra"))

    assert assurance_board.past_words(board, late).startswith("47 days late: A-")
    assert late.dates.next_date is None
    assert plan.dates.next_date is not None
    assert plan.dates.next_date.on == date(2026, 9, 1)
    assert hydra.dates.next_date is None
    assert assurance_board.answer_sentence(board) == "1 of 4 recommendations is met"
    assert assurance_board.attention_words(board) == "1 date has passed. 1 piece of evidence needs attention."


def test_many_facts_and_people_take_no_more_statements(database: None) -> None:
    world = make_board_world()
    recommendation = world.recommendations["e-learning"]
    few = count_statements()
    assert few <= 65
    with time_machine.travel(MAY + timedelta(days=1), tick=False):
        for _ in range(20):
            make_action(recommendation, by=world.owner)
            make_evidence(recommendation, "figure", {**FIGURE, "threshold": "0.5"}, by=world.owner)
        world.complete(2, date(2026, 5, 11))
        world.complete(3, date(2026, 5, 11))

    assert count_statements() == few


def count_statements() -> int:
    """How many statements reading the board takes, on a day in whose week no figure moved."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        read_board(position_at(TODAY.date()))
    finally:
        event.remove(db.engine, "before_cursor_execute", note)
    return len(seen)
