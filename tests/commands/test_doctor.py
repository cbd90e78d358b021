"""Broken set-ups, each with the line of ``doctor`` that says what to do; and a right one."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from portal.platform.documents.fonts import SYSTEM_FONTS, list_missing_packages
from portal.platform.engines import list_database_faults
from portal.platform.operations.doctor import _examine_driver, _examine_fonts, file_system_of
from tests.running import command, copied, settings

SHUT = "http://127.0.0.1:9"  # the discard port, at which nothing listens
LATER = "2999-01-01 00:00:00.000000"


@pytest.fixture
def instance(small_force, tmp_path):
    """A force's folder, for its owner alone."""
    folder = copied(small_force, tmp_path / "here")
    folder.chmod(0o700)
    return folder


def read_findings(done):
    """Each line as its state, what it is about, and its sentence."""
    lines = [line for line in done.stdout.splitlines() if ": " in line]
    return {line[8:].partition(": ")[0]: (line[:8].strip(), line.partition(": ")[2]) for line in lines}


def write(instance, statement, *values):
    """Change the database, as an accident would."""
    with closing(sqlite3.connect(instance / "portal.sqlite")) as database, database:
        database.execute(statement, values)


@pytest.mark.slow
def test_a_right_set_up_has_no_problem(server):
    server.instance.chmod(0o700)

    done = command(settings(server.instance, server.port), "doctor")

    assert (done.returncode, done.stderr) == (0, "")
    findings = read_findings(done)
    assert findings.pop("returns", ("NOTE", ""))[0] in {"OK", "NOTE"}  # its key is for the feature's tests
    assert findings.pop("fonts")[0] in {"OK", "NOTE"}  # whether Debian's are installed here
    assert {subject: state for subject, (state, _) in findings.items()} == {
        **dict.fromkeys(("database", "clock", "jobs", "folder", "disk", "proxy", "address"), "OK"),
        **dict.fromkeys(("roster", "content", "administrator", "learners", "directives"), "OK"),
        **dict.fromkeys(("mail", "backups"), "NOTE"),
    }


def test_fonts_of_debian_that_are_missing_are_a_note(monkeypatch):
    assert "fonts for names in every script" in _examine_fonts().sentence or list_missing_packages()
    monkeypatch.setitem(SYSTEM_FONTS, "fonts-noto-cjk", Path("/nowhere"))

    finding = _examine_fonts()

    assert finding.state == "NOTE"
    assert "apt-get install fonts-noto-cjk" in finding.sentence


@pytest.mark.parametrize(
    ("built", "state", "words"),
    [
        ("c", "OK", "uses this system's libpq 17.2."),
        ("binary", "NOTE", "its own libpq 17.2 and OpenSSL, which this system's updates do not mend."),
        ("python", "NOTE", "without its part in C"),
    ],
)
def test_the_driver_of_postgresql_says_whose_libpq_it_uses(monkeypatch, built, state, words):
    monkeypatch.setattr("psycopg.pq.__impl__", built)
    monkeypatch.setattr("psycopg.pq.version", lambda: 170002)

    finding = _examine_driver()

    assert (finding.state, words in finding.sentence) == (state, True)


def test_a_machine_without_libpq_is_told_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)  # as where its import fails

    assert list(list_database_faults("sqlite:////var/lib/portal.sqlite", "")) == []
    (sentence,) = list_database_faults("postgresql+psycopg://portal@db/portal", "")

    assert "apt-get install libpq5" in sentence


def test_what_is_around_the_portal_is_named_where_it_fails(instance):
    instance.chmod(0o755)
    around = {
        "PUBLIC_URL": "https://127.0.0.1:9",
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": "9",
        "SMTP_FROM": "learning@west.example",
        "OIDC_ISSUER": SHUT,
        "OIDC_CLIENT_ID": "portal",
        "OIDC_CLIENT_SECRET": "secret",
        "OIDC_MATCH_CLAIM": "employee_id",
        "OIDC_MATCH_FIELD": "staff_number",
        "IMPORT_FOLDER": f"{instance}/nowhere",
    }

    done = command(settings(instance) | around, "doctor")

    assert (done.returncode, done.stderr) == (1, "Error: 6 problems.\n")
    findings = read_findings(done)
    told = {subject: sentence for subject, (state, sentence) in findings.items() if state == "PROBLEM"}
    assert f"run chmod 700 {instance}" in told["folder"]
    assert "The mail relay 127.0.0.1 cannot be used" in told["mail"]
    assert "nowhere is no folder that the portal can open: make it" in told["imports"]
    assert "check OIDC_ISSUER" in told["sign-in"]
    assert "TRUSTED_PROXIES=127.0.0.1" in told["proxy"]
    assert "start the portal; if it runs, check its name in DNS" in told["address"]


def test_a_wrong_clock_and_a_job_that_nobody_takes_are_named(instance):
    write(instance, "INSERT INTO stamp (recorded_at) VALUES (?)", LATER)
    write(
        instance,
        "INSERT INTO job (reference, kind, arguments, state, done, total, said, asked_at, reason, runs)"
        " VALUES ('a', 'reconcile', '{}', 'waiting', 0, 0, '', '2026-01-01 00:00:00.000000', '', 0)",
    )

    findings = read_findings(command(settings(instance), "doctor"))

    assert findings["clock"][0] == findings["jobs"][0] == "PROBLEM"
    assert "docs/runbook/clock.md" in findings["clock"][1]
    assert "flask --app wsgi jobs work" in findings["jobs"][1]


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        pytest.param("a-release-to-come", "install that release", id="newer"),
        pytest.param("0025", "install release 0.2.0", id="too old"),
        pytest.param(None, "is empty: run flask --app wsgi db upgrade", id="empty"),
    ],
)
def test_a_database_of_another_release_is_named(instance, revision, says):
    if revision:
        write(instance, "UPDATE alembic_version SET version_num = ?", revision)
    else:
        (instance / "portal.sqlite").unlink()

    state, sentence = read_findings(command(settings(instance), "doctor"))["database"]

    assert (state, says in sentence) == ("PROBLEM", True), sentence


def test_a_secret_stands_in_a_file_or_in_the_environment(instance, tmp_path):
    file = tmp_path / "database-url"
    file.write_text(f"sqlite:///{tmp_path}/other.sqlite\n")
    from_file = settings(instance) | {"DATABASE_URL": "", "DATABASE_URL_FILE": str(file)}

    taken = command(from_file, "doctor")
    twice = command(from_file | {"DATABASE_URL": "sqlite:////nowhere"}, "doctor")
    missing = command(from_file | {"DATABASE_URL_FILE": str(tmp_path / "none")}, "doctor")

    assert "is empty" in read_findings(taken)["database"][1]  # the other one, which does not exist
    assert twice.returncode == missing.returncode == 2
    assert "DATABASE_URL and DATABASE_URL_FILE are both set" in twice.stderr
    assert "DATABASE_URL_FILE is the path of a file of one line" in missing.stderr


@pytest.mark.parametrize(
    ("folder", "kind"),
    [
        pytest.param("/srv/portal/data", "nfs4", id="network"),
        pytest.param("/srv/portals", "ext4", id="a name that begins alike"),
    ],
)
def test_the_file_system_of_a_folder_is_that_of_its_nearest_mount(tmp_path, folder, kind):
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda1 / ext4 rw 0 0\nserver:/data /srv/portal nfs4 rw 0 0\n")

    assert file_system_of(type(tmp_path)(folder), mounts) == kind
