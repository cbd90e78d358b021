"""What was acknowledged outlives the process, and fifty clicks at once are one pass."""

import http.client
import json
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.journeys.walking import (
    answer_all,
    answer_by_forms,
    answers,
    ask,
    attempt_of,
    h1,
    press,
    questions,
    reach_assessment,
    sign_in,
    token_in,
    visitor,
)
from tests.running import Server
from tests.waiting import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ENOUGH = 5
CLICKS = 50


def headers_of(context: BrowserContext) -> dict[str, str]:
    """What the browser sends with a form."""
    cookies = "; ".join(f"{c.get('name')}={c.get('value')}" for c in context.cookies())
    return {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}


def post(
    server: Server, path: str, headers: dict[str, str], fields: list[tuple[str, str]]
) -> tuple[int, str]:
    """One form over a connection of its own: the status, and where it leads."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", path, urlencode(fields), headers)
        with connection.getresponse() as answer:
            return answer.status, answer.headers.get("Location", "")
    finally:
        connection.close()


def responses(server: Server, attempt_id: str) -> list[tuple[int, list[str]]]:
    """Every saved answer, in the order of saving: the question's number, the choices."""
    attempt = attempt_id.replace("-", "")
    ((drawn,),) = ask(server.instance, "SELECT drawn FROM attempt WHERE id = ?", attempt)
    numbers = {question["item_id"]: n for n, question in enumerate(json.loads(drawn), start=1)}
    rows = ask(
        server.instance, "SELECT item_id, choices FROM response WHERE attempt_id = ? ORDER BY id", attempt
    )
    return [(numbers[item], json.loads(choices)) for item, choices in rows]


def passes(server: Server, attempt_id: str) -> int:
    """How many passes the attempt has."""
    attempt = attempt_id.replace("-", "")
    return int(ask(server.instance, "SELECT count(*) FROM pass_record WHERE attempt_id = ?", attempt)[0][0])


def test_every_acknowledged_answer_outlives_a_killed_server(browser: Browser, server: Server) -> None:
    with visitor(browser, server) as tab:
        sign_in(tab, "D1001")
        attempt_id = reach_assessment(tab.context, server.instance, "protect")
        headers = headers_of(tab.context)
        token = token_in(tab.context.request.get("/learning").text())
        ways = [
            {number: sent[0] for number, sent in answers(server.instance, attempt_id, right=right)}
            for right in (False, True)
        ]
        numbers = [n for n in ways[0] if all([name for name, _ in way[n]] == ["choice"] for way in ways)]
        orders = [question.order for question in questions(server.instance, attempt_id)]
        acknowledged: list[tuple[int, list[str]]] = []
        enough = Event()

        def write() -> None:
            for turn in range(100_000):
                number = numbers[turn % len(numbers)]
                # Each time another choice: one that is saved already would not be written again.
                choices = ways[turn // len(numbers) % 2][number]
                chosen = [orders[number - 1][int(value.removeprefix("c.")) - 1] for _, value in choices]
                fields = [("csrf_token", token), *choices]
                try:
                    status, _ = post(server, f"/assessment/{attempt_id}/items/{number}", headers, fields)
                except (OSError, http.client.HTTPException):
                    return
                assert status == 303
                acknowledged.append((number, chosen))
                if len(acknowledged) >= ENOUGH:
                    enough.set()

        with ThreadPoolExecutor(1) as pool:
            writer = pool.submit(write)
            assert enough.wait(PATIENCE)
            server.kill()
            writer.result(PATIENCE)
        server.start()
        kept = responses(server, attempt_id)
        assert kept[: len(acknowledged)] == acknowledged
        assert len(kept) <= len(acknowledged) + 1  # one may be saved whose answer never arrived
        number, chosen = acknowledged[-1]
        tab.goto(f"/assessment/{attempt_id}/items/{number}")
        checked = tab.locator("input[name=choice]:checked").get_attribute("value") or ""
        assert [orders[number - 1][int(checked.removeprefix("c.")) - 1]] == chosen
        tab.goto(f"/assessment/{attempt_id}/items/1")
        answer_all(tab, server.instance, right=True)
        press(tab, "Submit answers")
        assert h1(tab) == "You passed"
        assert passes(server, attempt_of(tab)) == 1


@pytest.mark.sweep
def test_fifty_submissions_at_once_are_one_pass(browser: Browser, shared_server: Server) -> None:
    server = shared_server
    with visitor(browser, server) as tab:
        sign_in(tab, "D1001")
        attempt_id = reach_assessment(tab.context, server.instance, "protect")
        token = token_in(tab.context.request.get("/learning").text())
        answer_by_forms(tab.context, server.instance, attempt_id, token, right=True)
        headers, path = headers_of(tab.context), f"/assessment/{attempt_id}/submission"
        with ThreadPoolExecutor(CLICKS) as pool:
            clicks = [
                pool.submit(post, server, path, headers, [("csrf_token", token)]) for _ in range(CLICKS)
            ]
            ends = {click.result(120) for click in clicks}
        assert ends == {(303, f"/assessment/{attempt_id}/outcome")}
        assert passes(server, attempt_id) == 1
        owned = ask(
            server.instance,
            "SELECT count(*) FROM record JOIN person_name USING (person_id) WHERE staff_number = 'D1001'",
        )
        assert owned == [(1,)]
        tab.goto(f"/assessment/{attempt_id}/outcome")
        assert h1(tab) == "You passed"
