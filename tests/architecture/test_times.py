"""``pytest --times`` adds up what tests of each group took, over all workers."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = """
import time

import pytest


@pytest.fixture
def app():
    time.sleep(0.6)


def test_plain(): pass

def test_asks_a_database(app): pass

@pytest.mark.parametrize("case", range(2))
def test_asks_it_too(app, case): pass

@pytest.mark.postgresql
def test_on_postgresql(app): pass

@pytest.mark.postgresql
@pytest.mark.browser
def test_in_a_browser(): time.sleep(1.1)
"""


def test_times_are_added_up_by_group_over_two_workers(tmp_path):
    (tmp_path / "test_of_each_group.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    postgresql\n    browser\n")
    program = [sys.executable, "-m", "pytest", "-p", "tests.times", "-p", "no:cacheprovider", "-n", "2"]
    done = subprocess.run(
        [*program, "--times", tmp_path], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    lines = re.findall(r"^(\w+): (\d+) tests, (\d+) s$", done.stdout, re.MULTILINE)
    assert [(group, int(tests)) for group, tests, _ in lines] == [
        ("fast", 1),
        ("database", 3),
        ("PostgreSQL", 1),
        ("browser", 1),
    ]
    fast, database, on_postgresql, browser = (int(seconds) for _, _, seconds in lines)
    assert database >= 2  # three times 0.6 s, rounded
    assert on_postgresql >= 1
    assert browser >= 1
    assert fast <= database
