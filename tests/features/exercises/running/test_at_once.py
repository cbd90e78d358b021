"""What several press at the same instant, where writers really wait for each other, is done once."""

import threading
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal.features.exercises.models import LogEntry, RunStep
from portal.platform.db import db
from portal.platform.errors import RuleError
from tests.features.exercises.running.playing import make_players, press, take_pen, write
from tests.waiting import PATIENCE

PRESSES = 12
pytestmark = pytest.mark.slow


def at_once(app: Flask, *acts: Callable[[], bool]) -> list[bool | str]:
    """What each act gave, or the sentence that refused it, when all came together."""
    outcomes: list[bool | str] = []
    gate = threading.Barrier(len(acts), timeout=PATIENCE)

    def go(act: Callable[[], bool]) -> None:
        with app.app_context():
            gate.wait()
            try:
                outcomes.append(act())
            except RuleError as error:
                outcomes.append(str(error))

    threads = [threading.Thread(target=go, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def count(table, **where) -> int:
    db.session.commit()  # ends this thread's view of before
    return db.session.scalar(select(func.count()).select_from(table).filter_by(**where)) or 0


def test_presses_at_the_same_instant_are_one_and_two_scribes_never_answer_twice(serving):
    players = make_players()

    def start() -> bool:
        return press(players.run, players.facilitator, "start")

    def release() -> bool:
        return press(players.run, players.facilitator, "release", inject_key="inject-3")

    assert at_once(serving, *[start] * PRESSES).count(True) == 1
    assert at_once(serving, *[release] * PRESSES).count(True) == 1
    assert count(RunStep, kind="release", inject_key="inject-3") == 1

    def take_and_write(person: int) -> Callable[[], bool]:
        def act() -> bool:
            take_pen(players.run, person, 2)
            return write(players.run, person, 2)

        return act

    outcomes = at_once(serving, *[take_and_write(players.second), take_and_write(players.third)] * 3)
    assert outcomes.count(True) <= 1
    assert count(LogEntry) == outcomes.count(True)
    assert write(players.run, _scribe(players), 2, "")


def _scribe(players) -> int:
    """Whoever was the last to say so."""
    newest = select(RunStep.person_id).where(RunStep.kind == "scribe").order_by(RunStep.id.desc()).limit(1)
    person = db.session.scalar(newest)
    assert person in (players.second, players.third)
    return person
