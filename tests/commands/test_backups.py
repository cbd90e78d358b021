"""From one machine to the next: key, backup, copy, fetch, restore, as an operator types it."""

import json

import pytest

from tests.platform.backups.made import names_in
from tests.running import command, copied, fresh_database, settings

REPORT = (
    "report",
    "completions",
    "--directive",
    "OIC-2026",
    "--format",
    "csv",
    "--as-at",
    "2026-04-30",
    "--output",
)


def with_backups(environment, folder):
    """The settings of a portal that backs up below this folder."""
    for name in ("here", "there"):
        (folder / name).mkdir(exist_ok=True, mode=0o700)
    places = {"BACKUP_DIR": str(folder / "here"), "BACKUP_COPY_TO": str(folder / "there")}
    made = command(environment, "backups", "new-key", str(folder / "identity"))
    assert made.returncode in (0, 1), made.stderr
    key = (folder / "identity").read_text().split("public key: ")[1].split()[0]
    return environment | places | {"BACKUP_PUBLIC_KEYS": key}


def walk(here, there, folder):
    """Lose the portal of ``here`` and bring it back as that of ``there``; gives the words of each step."""
    identity = ("--identity", str(folder / "identity"))
    said = {}
    for name, words in {
        "run": ("backups", "run"),
        "rehearse": ("backups", "rehearse", *identity),
        "status": ("backups", "status"),
        "report": (*REPORT, str(folder / "before.csv")),
    }.items():
        done = command(here, *words)
        assert done.returncode == 0, (name, done.stderr)
        said[name] = done.stdout
    (folder / "back").mkdir()
    (newest,) = (folder / "there").glob("*.age")
    file = str(folder / "back" / newest.name)
    for name, words in {
        "stored": ("backups", "stored"),
        "fetch": ("backups", "fetch", str(folder / "back")),
        "restore": ("restore", file, *identity),
        "restored status": ("backups", "status"),
        "report": (*REPORT, str(folder / "after.csv")),
    }.items():
        done = command(there, *words)
        assert done.returncode == 0, (name, done.stderr)
        said[name] = done.stdout
    assert (folder / "before.csv").read_bytes() == (folder / "after.csv").read_bytes()
    return said


@pytest.mark.slow
def test_a_lost_portal_comes_back_from_its_second_place(small_force, tmp_path):
    here = copied(small_force, tmp_path / "instance")
    (tmp_path / "new").mkdir()
    before = with_backups(settings(here), tmp_path)
    after = before | {"INSTANCE_DIR": str(tmp_path / "new"), "BACKUP_DIR": str(tmp_path / "empty")}
    (tmp_path / "empty").mkdir(mode=0o700)

    said = walk(before, after, tmp_path)

    assert "1 backup copied to the second place." in said["run"]
    assert "All is as its manifest says:" in said["rehearse"]
    assert "If the database were lost now, the last minute would be lost: 0 changes." in said["status"]
    assert "The last rehearsal, at " in said["status"]
    assert "encrypted" in said["stored"]
    assert "There was no database before." in said["restore"]
    assert "No backup has been made yet." in said["restored status"]  # here: a worker makes one at once
    (manifest,) = (tmp_path / "back").glob("*.json")
    assert json.loads(manifest.read_text())["counts"]["person"] > 50
    assert names_in(tmp_path / "back") == [manifest.name.removesuffix(".json"), manifest.name]


@pytest.mark.sweep
@pytest.mark.slow
@pytest.mark.postgresql
def test_a_lost_postgresql_portal_comes_back_from_its_second_place(postgresql, force_template, tmp_path):
    first = fresh_database(postgresql, "backups_here", force_template)
    before = with_backups(settings(tmp_path, database_url=first), tmp_path)
    after = before | {"DATABASE_URL": fresh_database(postgresql, "backups_there")}

    said = walk(before, after, tmp_path)

    assert "All is as its manifest says:" in said["rehearse"]
    assert "What was recorded after 20" in said["restore"]


@pytest.mark.sweep
@pytest.mark.slow
def test_refusals_are_one_sentence_each(small_force, tmp_path):
    here = with_backups(settings(copied(small_force, tmp_path / "instance")), tmp_path)
    (tmp_path / "letter").write_text("Dear portal")
    assert command(here, "backups", "run").returncode == 0
    (file,) = (tmp_path / "here").glob("*.age")

    for words, sentence in (
        (("backups", "new-key", str(tmp_path / "identity")), "exists: name a file that does not."),
        (("restore", str(file), "--replace"), "is encrypted: name the identity that opens it"),
        (("restore", str(file), "--replace", "--identity", str(tmp_path / "letter")), "is no identity file"),
        (
            ("backups", "fetch", str(tmp_path), "--name", "portal-1.backup"),
            "There is no backup portal-1.backup",
        ),
    ):
        done = command(here, *words)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
        assert sentence in done.stderr
    none = command(
        here | {"BACKUP_DIR": "", "BACKUP_COPY_TO": "", "BACKUP_PUBLIC_KEYS": ""}, "backups", "run"
    )
    assert "BACKUP_DIR is not set" in none.stderr
