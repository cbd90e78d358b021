"""Archives that somebody changed: nothing of them comes in, and what was there stays as it was."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from portal.platform.backups.copies import encrypt_file, make_identity
from tests.platform.backups.restored import NAME, is_marked, kept_in, leftovers, make_template, restore
from tests.running import command, copied, settings

Change = Callable[[sqlite3.Connection], object]


@pytest.fixture(scope="module")
def template(small_force: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Never used itself, only copied."""
    return make_template(small_force, tmp_path_factory.mktemp("restore") / "template")


@pytest.fixture
def here(template: Path, tmp_path: Path) -> Path:
    return copied(template, tmp_path / "here")


def without_check(connection: sqlite3.Connection) -> None:
    """Take a table's constraints away, as an editor of files can."""
    connection.execute("PRAGMA writable_schema = ON")
    changed = "replace(sql, 'CHECK (mastery_score BETWEEN 0 AND 1)', 'CHECK (1)')"
    connection.execute(f"UPDATE sqlite_master SET sql = {changed} WHERE name = 'submission'")
    connection.execute("PRAGMA writable_schema = OFF")


def without_references(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute("INSERT INTO person_name (person_id, staff_number, surname, forenames)"
                       " VALUES (999999, 'Z9', 'No', 'Body')")  # fmt: skip


def make_toothless(connection: sqlite3.Connection) -> None:
    connection.execute("DROP TRIGGER record_no_update")
    connection.execute("CREATE TRIGGER record_no_update BEFORE UPDATE ON record BEGIN SELECT 1; END")


MORE = "CREATE TRIGGER helper AFTER INSERT ON record BEGIN DELETE FROM sign_in_session; END"
HOSTILE: list[tuple[str, Change | str, str]] = [
    ("a trigger more", MORE, "trigger helper is not the portal's"),
    ("a trigger less", "DROP TRIGGER record_no_update", "trigger record_no_update is missing"),
    ("a trigger that refuses nothing", make_toothless, "trigger record_no_update differs"),
    ("a view more", "CREATE VIEW passes AS SELECT * FROM record", "view passes is not the portal's"),
    ("a table more", "CREATE TABLE notes (text)", "table notes is not the portal's"),
    ("a column more", "ALTER TABLE stamp ADD COLUMN extra TEXT", "table stamp differs"),
    ("an index less", "DROP INDEX ix_audit_event_happened_at", "ix_audit_event_happened_at is missing"),
    ("a constraint less", without_check, "table submission differs"),
    ("a reference to nobody", without_references, "damaged (a row names another that is missing)"),
    ("a later release", "UPDATE alembic_version SET version_num = '9999'", "made by a newer release"),
    ("a release too old", "UPDATE alembic_version SET version_num = '0025'", "restore it with release 0.2.0"),
    ("no release", "DELETE FROM alembic_version", "says no release"),
    ("another program's", "DROP TABLE alembic_version", "says no release"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("change", "said"), [one[1:] for one in HOSTILE], ids=[one[0] for one in HOSTILE])
def test_what_is_not_the_portals_own_is_refused_and_changes_nothing(here, change, said):
    with closing(sqlite3.connect(here / "b", isolation_level=None)) as connection:
        connection.execute(change) if isinstance(change, str) else change(connection)
    before = (here / NAME).read_bytes()

    done = restore(here, "--replace")

    assert done.returncode == 1
    assert said in done.stderr
    assert done.stderr.rstrip().endswith("Nothing was changed.")
    assert done.stderr.count("\n") == 1
    assert (here / NAME).read_bytes() == before
    assert (kept_in(here), leftovers(here)) == ([], [])


@pytest.mark.slow
@pytest.mark.parametrize("cut", ["a torn page", "half a file", "the first page"])
def test_a_damaged_backup_is_refused_and_changes_nothing(here, cut):
    content = (here / "b").read_bytes()
    torn = content[: 4096 * 30] + b"\xff" * 4096 * 30 + content[4096 * 60 :]
    left = {
        "a torn page": torn,
        "half a file": content[: len(content) // 2],
        "the first page": content[:4096],
    }
    (here / "b").write_bytes(left[cut])

    done = restore(here, "--replace")

    assert (done.returncode, "damaged" in done.stderr) == (1, True), done.stderr
    assert is_marked(here / NAME)


@pytest.mark.parametrize("place", ["b", "b.json"])
def test_a_pipe_is_refused_at_once(here, place):
    (here / place).unlink(missing_ok=True)
    os.mkfifo(here / place)

    done = restore(here, "--replace")

    assert (done.returncode, "is not a file" in done.stderr) == (1, True), done.stderr
    assert done.stderr.count("\n") == 1
    assert is_marked(here / NAME)


def name_too_long(here: Path) -> Path:
    return (here / "b").rename(here / ("n" * 250))


def put_folder_in_the_way(here: Path) -> Path:
    (here / ".b.decrypted" / "inside").mkdir(parents=True)
    return here / "b"


@pytest.mark.parametrize("prepare", [name_too_long, put_folder_in_the_way])
def test_an_encrypted_backup_that_cannot_be_decrypted_here_is_refused_in_a_sentence(here, prepare):
    public_key = make_identity(here / "identity")
    plain = (here / "b").rename(here / "plain")
    encrypt_file(plain, here / "b", (public_key,))
    file = prepare(here)

    done = command(settings(here), "restore", str(file), "--replace", "--identity", str(here / "identity"))

    assert (done.returncode, "cannot be decrypted" in done.stderr) == (1, True), done.stderr
    assert done.stderr.count("\n") == 1
    assert is_marked(here / NAME)


def test_a_backup_is_not_made_under_a_name_that_leaves_no_room(here):
    done = command(settings(here), "backup", str(here / ("n" * 250)))

    assert (done.returncode, "cannot be written" in done.stderr) == (1, True), done.stderr
    assert done.stderr.count("\n") == 1
