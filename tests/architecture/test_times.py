"""What ``pytest --times`` adds up, and what ``pytest --quick`` leaves out."""

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.quick import FIRST_CASE_ALONE, FIRST_TEST_ALONE, TESTS_OF_A_FILE, share_out

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


@pytest.mark.slow
def test_times_are_added_up_by_group_over_two_workers(tmp_path):
    (tmp_path / "test_of_each_group.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n    postgresql\n    browser\n")
    program = [sys.executable, "-m", "pytest", "-p", "xdist", "-p", "tests.times", "-p", "no:cacheprovider"]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # each of three processes would load all
    done = subprocess.run(
        [*program, "-n", "2", "--times", tmp_path],
        cwd=ROOT,
        env=alone,
        capture_output=True,
        text=True,
        check=False,
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


def test_no_test_fails_for_the_time_it_took():
    """Of the processor it may be said, or that something took at least so long: the machine may be busy."""
    took = re.compile(r"assert time\.(monotonic|perf_counter)\(\) - \w+ <")
    hasty = [path.name for path in (ROOT / "tests").rglob("*.py") if took.search(path.read_text())]

    assert hasty == [], "wait for the condition with until() of tests/waiting.py"


def item(nodeid: str, *fixtures: str) -> SimpleNamespace:
    return SimpleNamespace(nodeid=nodeid, fixturenames=fixtures, get_closest_marker=lambda name: None)


def test_of_a_test_that_asks_a_database_the_first_case_is_quick():
    first, other = item("a.py::test_one[sqlite-x]", "app"), item("a.py::test_one[sqlite-y]", "app")
    alone = item("b.py::test_one[sqlite]", "app")
    fast = [item("a.py::test_rule[1]"), item("a.py::test_rule[2]")]

    assert share_out([first, fast[0], other, alone, fast[1]]) == ([first, fast[0], alone, fast[1]], [other])


def test_of_a_file_that_asks_a_database_the_first_tests_are_quick():
    asking = [item(f"a.py::test_{number}[sqlite]", "app") for number in range(TESTS_OF_A_FILE + 2)]
    fast = item("a.py::test_rule")

    kept, left = share_out([*asking, fast])

    assert (kept, left) == ([*asking[:TESTS_OF_A_FILE], fast], asking[TESTS_OF_A_FILE:])


def test_of_files_that_read_much_one_test_or_one_case_of_each_is_quick():
    (file,) = FIRST_TEST_ALONE
    first, other = item(f"{file}::test_one[sqlite]", "app"), item(f"{file}::test_two[sqlite]", "app")
    cases = [item(f"{file}::test_one[{case}]") for file in sorted(FIRST_CASE_ALONE) for case in (1, 2)]

    assert [name for name in FIRST_CASE_ALONE | FIRST_TEST_ALONE if not (ROOT / name).is_file()] == []
    assert share_out([first, other]) == ([first], [other])
    assert share_out(cases) == (cases[::2], cases[1::2])
