"""(exercise) An exercise with eight syndicates of seven: how soon an inject is on every screen.

Fifty-six plain clients ask as the pages' script does, each for its own person; control and the wall ask
beside them, and two real browsers show what two more people see. A facilitator releases injects by hand. The
time is from the press of the button to the page with the inject at a client, and in a browser's page.
"""

import asyncio
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page as Tab
from playwright.sync_api import sync_playwright

from benchmarks.browser import Browser
from benchmarks.exercise_room import INJECTS, PASSWORD, Room, make_room
from benchmarks.figures import Figure
from benchmarks.journeys import PROGRAMS
from benchmarks.serving import environment, free_port, serving
from benchmarks.world import flask
from portal.features.exercises.run_views import ASK_EVERY

PEOPLE = 120
BETWEEN = 3.0  # seconds between two releases
MOST_SECONDS = 1.0  # from the press to every screen
SEEN = """() => {
  window.seenAt = {};
  new MutationObserver(() => {
    for (const part of document.querySelectorAll("#feed > section")) window.seenAt[part.id] ??= Date.now();
  }).observe(document.body, { childList: true, subtree: true });
}"""


@dataclass
class Asked:
    """What the plain clients saw: when each inject came, how long each answer took."""

    seen: dict[str, list[float]] = field(default_factory=dict)  # wall-clock instants by inject
    unchanged: list[float] = field(default_factory=list)  # seconds of answers without content
    changed: list[float] = field(default_factory=list)
    over: bool = False


async def _ask_on(port: int, path: str, cookies: str, asked: Asked) -> None:
    """Ask for one page as its script does, until it is over."""
    tag, known = "", set[str]()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while not asked.over:
        begun = time.perf_counter()
        head = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"Cookie: {cookies}"]
        head += [f"If-None-Match: {tag}"] if tag else []
        writer.write("\r\n".join([*head, "", ""]).encode())
        try:
            answer = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        except (
            asyncio.IncompleteReadError,
            ConnectionError,
        ):  # the server closes what was idle, or served long
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            continue
        names = dict(line.lower().split(": ", 1) for line in answer.split("\r\n")[1:] if ": " in line)
        body = await reader.readexactly(int(names.get("content-length", 0)))
        took, now, status = time.perf_counter() - begun, time.time(), answer.split()[1]
        if status == "304":
            asked.unchanged.append(took)
        elif status == "200":
            asked.changed.append(took)
            tag = names["etag"].replace("w/", "W/", 1)
            for key in INJECTS:
                if key not in known and f'id="inject-{key}"'.encode() in body:
                    known.add(key)
                    asked.seen.setdefault(key, []).append(now)
        else:
            raise RuntimeError(f"{path}: {status}")
        if names.get("connection") == "close":
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.sleep(ASK_EVERY / 1000)
    writer.close()


def measure() -> list[Figure]:
    """Release injects to 58 screens, and say how soon they were there."""
    folder = Path(tempfile.mkdtemp(prefix="portal-exercise-"))
    try:
        flask(folder, "db", "upgrade")
        flask(folder, "demo", "create", "--people", str(PEOPLE))
        room = make_room(folder)
        port = free_port()
        with serving(["serve.py"], environment(folder, port), port) as server:
            begun, used = time.perf_counter(), server.processor_seconds()
            delays, shown, asked = _run(room, port)
            seconds = time.perf_counter() - begun
            share = (server.processor_seconds() - used) / seconds
    finally:
        shutil.rmtree(folder)
    return _figures(delays, shown, asked, share)


def _run(room: Room, port: int) -> tuple[list[float], list[float], Asked]:
    """Delays of plain clients and of browsers, in seconds, and what the clients counted."""
    asked, control = Asked(), f"/exercises/{room.run}/control"
    clients = [
        (f"/exercises/{room.run}/{syndicate}", _cookies(port, name)) for name, syndicate in room.people[2:]
    ]
    with Browser(port) as facilitator, sync_playwright() as playwright:
        facilitator.sign_in(room.facilitator, PASSWORD)
        theirs = "; ".join(f"{name}={value}" for name, value in facilitator.cookies.items())
        clients += [(control, theirs), (f"/exercises/{room.run}/wall", theirs)]
        facilitator.press(facilitator.page(control), "Begin", do="start")
        found = next(filter(None, map(shutil.which, PROGRAMS)))
        chromium = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        tabs = [_open_tab(chromium.new_context, port, room.run, *person) for person in room.people[:2]]
        asking = threading.Thread(target=_ask_all, args=(port, clients, asked))
        asking.start()
        time.sleep(BETWEEN)
        pressed = {}
        for key in INJECTS:
            page = facilitator.page(control)
            pressed[key] = time.time()
            facilitator.press(page, f'value="{key}"', do="release", inject=key)
            tabs[0].wait_for_timeout(1000 * BETWEEN)
        asked.over = True
        asking.join()
        shown = [
            tab.evaluate("key => window.seenAt[`inject-${key}`]", key) / 1000 - pressed[key]
            for tab in tabs
            for key in INJECTS
        ]
        chromium.close()
    missing = {key: len(asked.seen.get(key, ())) for key in INJECTS}
    if set(missing.values()) != {len(room.people) - 2}:
        raise RuntimeError(f"not on every screen: {missing}")
    return [at - pressed[key] for key in INJECTS for at in asked.seen[key]], shown, asked


def _cookies(port: int, name: str) -> str:
    with Browser(port) as browser:
        browser.sign_in(name, PASSWORD)
        return "; ".join(f"{key}={value}" for key, value in browser.cookies.items())


def _open_tab(new_context: Callable[..., object], port: int, run: str, name: str, syndicate: int) -> Tab:
    tab: Tab = new_context(base_url=f"http://127.0.0.1:{port}").new_page()  # type: ignore[attr-defined]
    tab.goto("/sign-in")
    tab.fill("#name", name)
    tab.fill("#password", PASSWORD)
    tab.click("main button:text-is('Sign in')")
    tab.goto(f"/exercises/{run}/{syndicate}")
    tab.evaluate(SEEN)
    return tab


def _ask_all(port: int, clients: list[tuple[str, str]], asked: Asked) -> None:
    async def ask() -> None:
        await asyncio.gather(*(_ask_on(port, path, cookies, asked) for path, cookies in clients))

    asyncio.run(ask())


def _figures(delays: list[float], shown: list[float], asked: Asked, share: float) -> list[Figure]:
    ordered, unchanged = sorted(delays), sorted(asked.unchanged)
    of_clients = f"of {len(delays)} at 56 plain clients"
    return [
        _delay(f"an inject at its latest screen, {of_clients}", ordered[-1], judged=True),
        _delay(f"p95 {of_clients}", ordered[int(0.95 * len(ordered))]),
        _delay(f"median {of_clients}", ordered[len(ordered) // 2]),
        _delay(f"an inject at its latest screen, of {len(shown)} in two browsers", max(shown), judged=True),
        _delay("nothing is new, median answer", unchanged[len(unchanged) // 2]),
        _delay("nothing is new, p95", unchanged[int(0.95 * len(unchanged))]),
        Figure("y", "processors that the server used", round(share, 2), "processors"),
    ]


def _delay(what: str, seconds: float, *, judged: bool = False) -> Figure:
    milliseconds = round(1000 * seconds, 1)
    if not judged:
        return Figure("y", what, milliseconds, "ms")
    return Figure("y", what, milliseconds, "ms", judged=seconds, judged_unit="s", target=MOST_SECONDS)
