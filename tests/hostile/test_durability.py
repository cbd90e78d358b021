"""What was acknowledged outlives kills and power cuts, and the tools that say so would see a loss.

The command runs more of it: ``make hostile HOSTILE="--kills 30 --power-cuts 10 --postgresql-kills 8"``.
"""

import os
import random
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.hostile import durability, power_cut
from tests.hostile.learners import Acknowledged

pytestmark = pytest.mark.slow
WRITES = """
import sqlite3, sys
from pathlib import Path
from portal.platform.write_lock import commit_and_sync, prepare_release
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
early = sys.argv[2] == "released early"
if not early:
    database.execute(f"PRAGMA synchronous = {sys.argv[2]}")
for number in range(1, 1_000_000):
    if early:
        prepare_release(database)
    database.execute("BEGIN IMMEDIATE")
    database.execute("INSERT INTO t VALUES (?, ?)", (number, "x" * 300))
    if early:
        commit_and_sync(database, Path(sys.argv[1]))
    else:
        database.execute("COMMIT")
    print(number, flush=True)
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return power_cut.build_shim(tmp_path_factory.mktemp("shim"))


def lost_by_a_cut(folder: Path, shim: Path, synchronous: str) -> tuple[int, int]:
    """How many commits were acknowledged before the power was cut, and how many of them are gone."""
    before, instance, journal = folder / "before", folder / "instance", folder / "journal"
    before.mkdir()
    with closing(sqlite3.connect(before / power_cut.DATABASE)) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (number, text)")
    shutil.copytree(before, instance)
    noted = power_cut.environment(shim, instance / power_cut.DATABASE, journal)
    words = [sys.executable, "-c", WRITES, str(instance / power_cut.DATABASE), synchronous]
    with subprocess.Popen(words, env={**os.environ, **noted}, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        acknowledged = [int(writer.stdout.readline()) for _ in range(200)]
        writer.kill()
    power_cut.rebuild(before, journal, folder / "after", random.Random(1))
    with closing(sqlite3.connect(folder / "after" / power_cut.DATABASE)) as database:
        held = {number for (number,) in database.execute("SELECT number FROM t")}
    return len(acknowledged), len(set(acknowledged) - held)


def test_the_shim_finds_what_a_careless_setting_loses_and_nothing_else(tmp_path: Path, shim: Path) -> None:
    lost = {}
    for synchronous in ("FULL", "NORMAL", "released early"):
        (tmp_path / synchronous).mkdir()
        _, lost[synchronous] = lost_by_a_cut(tmp_path / synchronous, shim, synchronous)

    assert lost["FULL"] == lost["released early"] == 0
    assert lost["NORMAL"] > 0


def test_a_pass_that_is_not_there_or_half_there_is_found(small_force: Path, tmp_path: Path) -> None:
    instance = Path(shutil.copytree(small_force, tmp_path / "instance"))
    (passes,) = durability.ask(
        instance, "SELECT r.reference, p.attempt_id FROM record r JOIN pass_record p ON p.record_id = r.id"
    )
    told = Acknowledged({reference: ("D1001", attempt) for reference, attempt in passes})
    assert durability.find_losses(instance, told) == []
    assert durability.find_halves(instance) == []
    (_, first), (second, _) = passes[:2]
    with closing(sqlite3.connect(instance / "portal.sqlite")) as database, database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("DELETE FROM submission WHERE attempt_id = ?", (first,))
        database.execute(
            "DELETE FROM pass_record WHERE record_id IN (SELECT id FROM record WHERE reference = ?)",
            (second,),
        )

    told.steps["D1001", "protect", "a-case"] = 2
    assert durability.find_losses(instance, told) == [
        f"pass {second} of D1001",
        "2 steps of D1001 protect a-case, there are 0",
    ]
    halves = durability.find_halves(instance)
    assert [half for half in halves if "without its end" in half]
    assert [half for half in halves if "passed without a pass" in half]
    assert [half for half in halves if "without its pass" in half]


@pytest.mark.sweep
def test_kills_and_power_cuts_lose_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert durability.main(["--kills", "2", "--power-cuts", "2", "--seed", "7"]) == 0

    said = capfd.readouterr().out
    assert "kills 2, acknowledged passes" in said
    assert "acknowledged steps of cases 0" not in said
    assert "power cuts 2, acknowledged passes" in said


@pytest.mark.sweep
@pytest.mark.postgresql
def test_kills_of_postgresql_lose_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    assert durability.main(["--postgresql-kills", "2", "--seed", "7"]) == 0

    assert "PostgreSQL kills 2, acknowledged passes" in capfd.readouterr().out
