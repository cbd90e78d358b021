"""The hour when everyone comes, in its smallest form: everybody passes, and nothing acknowledged is lost."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

from benchmarks.hour import measure
from benchmarks.hour.forms import FilledForm
from benchmarks.hour.plan import Plan, all_ways
from benchmarks.hour.tally import PAGE, Spread, Tally
from benchmarks.hour.visitor import route_of
from benchmarks.hour.wire import Pool

WHOLE = all_ways(Plan())
FORM = """<form action="/one"><input name="a" value="1"><button>Leave</button></form>
<form action="/two"><input type="checkbox" name="c" value="x" checked>
<input type="checkbox" name="c" value="y">
<input type="checkbox" name="c" value="z" checked><textarea name="t">
some &amp; text</textarea><select name="s"><option value="">None<option value="7" selected>Seven</select>
<input type="file" name="f"><button name="do" value="go" formaction="/three">Go on</button></form>"""


def measure_apart(plan):
    """Measure in a thread of its own: tests of a browser leave an event loop that runs in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(measure.one, plan).result()


@pytest.mark.sweep
@pytest.mark.parametrize("by_provider", [False, True], ids=["passwords", "provider"])
def test_in_the_smallest_hour_everybody_passes_and_nothing_is_lost(by_provider):
    plan = Plan(officers=8, force=60, slower=10, by_provider=by_provider)

    result = measure_apart(plan)

    assert result.tally.errors == {}
    assert result.tally.finished == 8
    assert result.lost == (0, 0)
    assert result.tally.answers.total() >= 8 * 12
    assert {"roster: apply", "directive: issue"} <= result.tally.phases.keys()
    judged = [figure.what for figure in measure.figures(result) if figure.target is not None]
    assert len(judged) == 8
    assert "during roster: apply" in measure.report(result)


@pytest.mark.sweep
@pytest.mark.postgresql
def test_the_smallest_hour_on_postgresql():
    result = measure_apart(Plan(officers=8, force=60, slower=10, postgresql=True))

    assert (result.tally.errors, result.tally.finished, result.lost) == ({}, 8, (0, 0))


@pytest.mark.parametrize(
    "plans", [WHOLE[:1], (Plan(officers=300),), (*WHOLE[:2], Plan(postgresql=True, slower=2))],
    ids=["one of three", "shorter", "one slower"],
)  # fmt: skip
def test_only_all_ways_of_one_hour_are_kept(plans, monkeypatch):
    written = []
    monkeypatch.setattr(measure, "one", lambda plan: None)
    monkeypatch.setattr(measure, "report", lambda result: "")
    monkeypatch.setattr(measure, "figures", lambda result: [])
    monkeypatch.setattr(measure, "write", lambda *found: written.append(found))

    measure.measure(plans)
    assert written == []
    measure.measure(WHOLE)
    measure.measure(all_ways(Plan(officers=300, slower=4)))
    assert len(written) == 2


def test_a_form_is_sent_as_it_is_filled_in():
    form = FilledForm(FORM, "Go on")

    assert form.action == "/three"
    assert form.fields == [
        ("c", "x"), ("c", "z"), ("t", "some & text"), ("s", "7"), ("do", "go"),
    ]  # fmt: skip
    with pytest.raises(RuntimeError, match="Elsewhere"):
        FilledForm(FORM, "Elsewhere")


def test_a_smaller_hour_has_the_same_rate_for_a_shorter_time():
    whole, tenth = Plan(), Plan(officers=300)

    assert whole.minute == 60
    assert (whole.force, whole.officers / whole.minute) == (tenth.force, tenth.officers / tenth.minute)
    assert tenth.thinking(Random(1)) == pytest.approx(whole.thinking(Random(1)) / 10)
    assert len(set(whole.staff_numbers())) == 3_000
    assert len({whole.address(number) for number in range(3_000)}) == 3_000


def test_on_a_slow_machine_all_come_as_fast_and_think_for_longer():
    whole, slower = Plan(), Plan(slower=4)

    assert (slower.minute, slower.pace, whole.pace) == (60, 2.5, 10)
    assert slower.thinking(Random(1)) == pytest.approx(4 * whole.thinking(Random(1)))
    assert slower.after(1.5) == pytest.approx(4 * whole.after(1.5)) == 360


def test_a_failure_counts_once_however_often_it_is_passed_on():
    tally, error = Tally(), RuntimeError("503 /learning")

    tally.fail(PAGE, error)
    tally.fail("answer", error)

    assert tally.failures == 1
    assert tally.errors[PAGE] == {"503 /learning": 1}


def test_a_spread_names_the_slowest():
    spread = Spread.of([0.1] * 95 + [0.2] * 4 + [3.0])

    assert (spread.count, spread.p50, spread.p95, spread.longest) == (100, 100, 100, 3_000)


def test_addresses_are_counted_without_what_names_a_person():
    assert route_of("/learning/modules/protect/lessons/who-decides") == "/learning/modules/*/lessons/*"
    assert route_of("/monitoring/directives/OIC-2026?status=overdue") == "/monitoring/directives/OIC-2026"


ANSWERS = {
    "whole": b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 4\r\n"
    b"Set-Cookie: a=b; Path=/\r\n\r\npage",
    "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\npag\r\n1\r\ne\r\n0\r\n\r\n",
    "empty": b"HTTP/1.1 303 See Other\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n",
}


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("size", [1, 2, 7, 1_000])
def test_answers_are_read_however_they_are_cut(name, size):
    async def talk(reader, writer):
        for _ in range(2):
            await reader.readuntil(b"\r\n\r\n")
            for place in range(0, len(ANSWERS[name]), size):
                writer.write(ANSWERS[name][place : place + size])
                await writer.drain()
                await asyncio.sleep(0)
        writer.close()

    async def ask():
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        async with server:
            pool = Pool(server.sockets[0].getsockname()[1])
            replies = [await pool.ask(b"GET / HTTP/1.1\r\n\r\n") for _ in range(2)]
            await pool.close()
            return replies

    with ThreadPoolExecutor(1) as beside:  # this thread may have the loop of a browser's driver
        replies = beside.submit(asyncio.run, ask()).result()
    for reply in replies:
        assert (reply.status, reply.size) == ((303, 0) if name == "empty" else (200, 4))
        assert reply.body == (b"" if name == "empty" else b"page")
        assert reply.location == ("/there" if name == "empty" else "")
        assert reply.cookies == (["a=b"] if name == "whole" else [])
