"""An import is held open in one process while another reports: what was known stays what was known."""

import csv
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.domain.imports.rosters import row, write_csv
from tests.running import ROOT, command, copied, fresh_database, settings
from tests.waiting import PATIENCE

pytestmark = pytest.mark.slow
# Each runs a command as an operator does, and says on its output how far it is. The import says when it
# begins, and waits with all written and its stamp taken until it hears a line; the report says when it has
# settled its two times.
IMPORT = """
import sys
from portal.domain.imports import services
from portal.platform import db
from wsgi import app
real = services.apply_import
def held(*words, at, **named):
    real(*words, at=at, **named)
    db.settle()
    print("held", at.isoformat(), flush=True)
    sys.stdin.readline()
services.apply_import = held
print("begins", flush=True)
app.cli.main(["people", "import", sys.argv[1]])
"""
REPORT = """
import sys
from portal.commands import report as cli
from wsgi import app
real = cli.read_position
def told(*words, **named):
    settled = real(*words, **named)
    print("settled", settled.as_known_on.isoformat(), flush=True)
    return settled
cli.read_position = told
app.cli.main(["report", "completions", "--directive", "OIC-2026", "--format", "csv", *sys.argv[1:]])
"""


@contextmanager
def process(environment: dict[str, str], script: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A process of its own, ended with the block."""
    started = subprocess.Popen(
        [sys.executable, "-c", script, *words],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def says(started: subprocess.Popen[str], word: str) -> str:
    """What the process says after this word, as soon as it does."""
    assert started.stdout is not None
    assert started.stderr is not None
    line = started.stdout.readline()
    assert line.startswith(word), line + started.stderr.read()
    return line.removeprefix(word).strip()


def let_go(started: subprocess.Popen[str]) -> None:
    """Let a held import commit."""
    assert started.stdin is not None
    started.stdin.write("\n")
    started.stdin.flush()
    assert started.wait(PATIENCE) == 0


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def portal(request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The environment of a portal with a small force, on each database."""
    if request.param == "sqlite":
        return settings(copied(request.getfixturevalue("small_force"), tmp_path / "instance"))
    server, force = request.getfixturevalue("postgresql"), request.getfixturevalue("force_template")
    return settings(tmp_path, database_url=fresh_database(server, "held_open", force))


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    """Somebody joins the audience in the past, so that every position since then changes."""
    newcomer = row("H1", unit_path="Westshire Police/Local Policing/Held Open", valid_from="2025-01-01")
    return write_csv(tmp_path / "roster.csv", [newcomer])


def rows_of(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        return list(csv.DictReader(opened))


def ask(portal: dict[str, str], output: Path, known: str = "") -> bytes:
    """The file of a report that runs while nothing is held."""
    words = ["--as-known-on", known] if known else []
    done = command(
        portal, "report", "completions", "--directive", "OIC-2026", "--as-at", "2026-04-30",
        "--format", "csv", "--output", str(output), *words,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return output.read_bytes()


def test_a_report_during_a_held_import_never_changes_afterwards(
    portal: dict[str, str], roster: Path, tmp_path: Path
) -> None:
    during = tmp_path / "during.csv"
    asked = ("--as-at", "2026-04-30", "--output", str(during))
    with process(portal, IMPORT, str(roster)) as importing, process(portal, REPORT, *asked) as reporting:
        says(importing, "begins")
        stamped = says(importing, "held")
        known = says(reporting, "settled")
        assert known < stamped  # both in UTC: the stamp was taken before the report asked what is known
        if portal["DATABASE_URL"]:  # an embedded database has one writer: there the audit event waits
            assert reporting.wait(PATIENCE) == 0
        let_go(importing)
        assert reporting.wait(PATIENCE) == 0

    (printed,) = {row["as_known_on"] for row in rows_of(during)}
    assert ask(portal, tmp_path / "again.csv", printed) == during.read_bytes()
    after = ask(portal, tmp_path / "after.csv")
    assert "H1" not in {row["staff_number"] for row in rows_of(during)}
    assert [row["staff_number"] for row in rows_of(tmp_path / "after.csv")].count("H1") == 4
    assert after != during.read_bytes()


def test_facts_recorded_beside_a_held_import_wait_and_are_stamped_later(
    portal: dict[str, str], roster: Path, tmp_path: Path
) -> None:
    other = write_csv(tmp_path / "other.csv", [row("H2", valid_from="2025-02-01")])
    with process(portal, IMPORT, str(roster)) as first:
        says(first, "begins")
        stamped = says(first, "held")
        with process(portal, IMPORT, str(other)) as second:
            says(second, "begins")
            with pytest.raises(subprocess.TimeoutExpired):
                second.wait(1)
            let_go(first)
            assert says(second, "held") > stamped
            let_go(second)
    ask(portal, tmp_path / "after.csv")
    assert {"H1", "H2"} <= {row["staff_number"] for row in rows_of(tmp_path / "after.csv")}
