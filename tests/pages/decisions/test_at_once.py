"""Two owners decide at the same instant, on a database whose writers really wait for each other."""

import threading

import pytest
from flask import Flask

from portal.domain.decisions.models import Decision, DecisionRequest
from portal.domain.directives.models import Exclusion
from portal.platform.db import db
from tests.pages.decisions.desk import NOW, Desk, count_rows, make_desk
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow


def send_at_once(app: Flask, sends: list) -> list:
    """What browsers were answered when all sent together: each its cookies, an address and fields."""
    answers: list = [None] * len(sends)
    gate = threading.Barrier(len(sends), timeout=PATIENCE)

    def send(place: int) -> None:
        client, address, fields = sends[place]
        browser = app.test_client()
        browser._cookies = dict(client._cookies)
        gate.wait()
        answers[place] = browser.post(address, data=fields)

    threads = [threading.Thread(target=send, args=(place,)) for place in range(len(sends))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


@pytest.mark.slow
def test_of_two_owners_one_decides_and_of_two_presses_one_asks(serving, time_machine):
    time_machine.move_to(NOW, tick=False)
    desk = make_desk(serving, time_machine.move_to)
    manager = desk.browser_of("D2001")
    page = manager.page("/people/D1001/ask/exemption")
    fields = page.form_with("Send request").fields
    fields |= {"about": "OIC-2026", "from_on": "1 June 2026", "reason": "secondment"}

    asked = send_at_once(serving, [(manager, page.path, fields)] * 6)

    assert {answer.status_code for answer in asked} == {303}
    assert len({answer.location for answer in asked}) == 1
    assert count_rows(DecisionRequest) == 1
    address = desk.path_of_waiting_request()
    sends = []
    for number in ("D4001", "D4002"):
        owner = desk.browser_of(number)
        form = owner.page(address).form_with("Grant")
        sends.append((owner, form.action, {**form.fields, "grant": "y"}))
        sends.append((owner, form.action, {**form.fields, "refuse": "y", "comment": "No."}))
    answers = send_at_once(serving, sends)

    assert sorted(answer.status_code for answer in answers) == [303, 409, 409, 409]
    decision = db.session.query(Decision).one()
    granted = decision.outcome == "granted"
    assert count_rows(Exclusion) == (1 if granted else 0)
    won = next(place for place, answer in enumerate(answers) if answer.status_code == 303)
    assert granted == (won % 2 == 0)
    assert decision.decided_by_id == desk.people["D4001" if won < 2 else "D4002"]
    lost = next(answer for answer in answers if answer.status_code == 409)
    assert f"This request was {decision.outcome} by" in lost.get_data(as_text=True)
    _ask_and_decide_jointly_at_once(serving, desk)


def _ask_and_decide_jointly_at_once(app: Flask, desk: Desk) -> None:
    """The same for a request about three people: asked once, decided once, whole."""
    before, manager = count_rows(Exclusion), desk.browser_of("D2001")
    page = manager.page("/decisions/directives/OIC-2026/deferral")
    fields = page.form_with("Continue").fields | {
        "people": ["D1001", "D1002", "D2001"],
        "from_on": "1 June 2026",
        "to_on": "30 June 2026",
        "reason": "secondment",
        "send": "y",
    }
    asked = send_at_once(app, [(manager, page.path, fields)] * 4)
    assert {answer.status_code for answer in asked} == {303}
    (address,) = {answer.location for answer in asked}
    assert count_rows(DecisionRequest) == 1 + 3
    sends = []
    for number in ("D4001", "D4002"):
        owner = desk.browser_of(number)
        form = owner.page(address).form_with("Grant to those ticked")
        sends.append((owner, form.action, {**form.fields, "grant": "y"}))
    answers = send_at_once(app, sends)
    assert sorted(answer.status_code for answer in answers) == [303, 409]
    assert count_rows(Exclusion) == before + 3
