"""The pictures of the read-me, taken from the running portal: PICTURES names the folder to keep them in."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.journeys.walking import h1, reach_assessment, sign_in, visitor
from tests.running import Server

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.sweep]
MOST_BYTES = 120_000
DESK = [
    ("overview", "/monitoring", "overdue"),
    ("report", "/monitoring/directives/OIC-2026", "complete"),
]
LEARNER = [
    ("my-learning", "/learning", "modules"),
    ("lesson", "/learning/modules/protect/lessons/whose-phone", ""),
    ("question", "", ""),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the pictures go."""
    kept = Path(os.environ.get("PICTURES") or tmp_path)
    kept.mkdir(parents=True, exist_ok=True)
    return kept


def test_pictures_are_small_and_show_the_pages(browser: Browser, shared_server: Server, folder: Path) -> None:
    taken = []
    for person, width, pages in (
        ("D9001", 1280, DESK),
        ("D1001", 1000, LEARNER),
        ("D1001", 390, LEARNER[:1]),
    ):
        with visitor(browser, shared_server, width) as tab:
            tab.set_viewport_size({"width": width, "height": 700})
            sign_in(tab, person)
            for name, path, words in pages:
                if not path:
                    path = f"/assessment/{reach_assessment(tab.context, shared_server.instance, 'protect')}"
                answer = tab.goto(path, wait_until="networkidle")
                assert answer is not None
                assert answer.status == 200
                assert words in h1(tab)
                file = folder / f"{name}{'-phone' if width < 400 else ''}.png"
                tab.screenshot(path=file, animations="disabled")
                taken.append(file)
    assert len({file.name for file in taken}) == 6
    assert [file.name for file in taken if not 5_000 < file.stat().st_size < MOST_BYTES] == []
