"""The commands: returns export, import, keys, forces and period; and an independent reader of a return."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import time_machine
from click.testing import Result
from flask import Flask
from sqlalchemy import func, select

from portal.features.returns.models import ForceReturn, OwnReturn
from portal.platform.db import db
from portal.platform.signing.keys import load_private_key, take_fingerprint, write_public_key
from tests.commands.test_doctor import read_findings
from tests.domain.imports.rosters import run
from tests.pages.monitoring.world import TODAY, make_world
from tests.platform.signing.test_documents import verify_with_openssl
from tests.running import command as run_command
from tests.running import copied, settings

Command = Callable[..., Result]


@pytest.fixture
def command(app: Flask, database: None) -> Iterator[Command]:
    key = Path(app.instance_path) / "return-key.pem"
    with time_machine.travel(TODAY, tick=False):
        make_world()
        yield lambda *arguments: run(app, "returns", *arguments)
    key.unlink(missing_ok=True)


def register(command: Command, app: Flask) -> None:
    public_key = write_public_key(load_private_key(Path(app.instance_path) / "return-key.pem"))
    added = command("forces", "add", "westshire-police", "Westshire Police", "--headcount", "3000")
    told = ("--fingerprint", take_fingerprint(public_key))
    keyed = command("forces", "key", "westshire-police", public_key, *told, "--from", "2026-05-01")
    assert (added.exit_code, keyed.exit_code) == (0, 0), (added.stderr, keyed.stderr)


def test_a_return_goes_from_a_force_to_the_coordinating_unit(
    app: Flask, command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "return.json"
    made = command("keys", "make")
    register(command, app)
    asked = command("period", "2026-04", "--due", "2026-05-15")
    exported = command("export", "--period", "2026-04", file)
    received, again = command("import", file), command("import", file)

    assert [result.exit_code for result in (made, asked, exported, received, again)] == [0] * 5
    assert "Return 1 of 2026-04 for OIC-2026: 6 people assigned" in exported.output
    assert received.output == "Return 1 of 2026-04 from westshire-police: no faults.\n"
    assert "had come before" in again.output
    kept = db.session.scalars(select(ForceReturn)).one()
    assert kept.content == file.read_bytes() == db.session.scalars(select(OwnReturn.content)).one()
    assert command("forces", "list").output == "westshire-police: Westshire Police, 3,000 people, 1 key\n"


def test_an_outsider_verifies_and_adds_up_a_return_with_openssl_and_json_alone(
    command: Command, tmp_path: Path
) -> None:
    file = tmp_path / "return.json"
    command("keys", "make")
    command("export", "--period", "2026-04", file)

    assert verify_with_openssl(file, tmp_path)
    document = json.loads(file.read_text())
    sums: Counter[tuple[str, str, str]] = Counter()
    for line in document["figures"]:
        for name in ("assigned", "excluded", "complete"):
            sums[line["requirement"], line["grouping"], name] += line[name]
    for (requirement, _, name), total in list(sums.items()):
        assert total == sums[requirement, "force", name]
    assert sums["", "role", "assigned"] == 6
    figures = file.read_text().replace('"complete": 2', '"complete": 3')
    file.write_text(figures)
    assert not verify_with_openssl(file, tmp_path)


def test_a_dry_run_keeps_and_writes_nothing(app: Flask, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "return.json"
    command("keys", "make")
    register(command, app)
    tried = command("export", "--period", "2026-04", file, "--dry-run")
    assert (tried.exit_code, file.exists()) == (0, False)
    command("export", "--period", "2026-04", file)
    checked = command("import", file, "--dry-run")

    assert checked.output.endswith("no faults, nothing was kept.\n")
    assert db.session.scalar(select(func.count()).select_from(ForceReturn)) == 0
    assert command("export", "--period", "2026-04", file).exit_code == 1  # the file is there


def test_what_is_refused_says_why_and_changes_nothing(app: Flask, command: Command, tmp_path: Path) -> None:
    file = tmp_path / "return.json"
    assert "no key to sign with" in command("export", "--period", "2026-04", file).stderr
    assert "no key to sign with" in command("keys", "show").stderr
    command("keys", "make")
    assert "never written over" in command("keys", "make").stderr
    assert "Short name: westshire-police" in command("keys", "show").output
    command("export", "--period", "2026-04", file)
    refused = command("import", file)

    assert refused.exit_code == 1
    assert "No force is registered as “westshire-police”." in refused.stderr
    assert "Enter a day" in command("period", "2026-04", "--due", "soon").stderr
    assert "has not ended" in command("export", "--period", "2026-06", tmp_path / "b.json").stderr


@pytest.mark.slow
def test_the_key_that_signs_returns_is_named_or_missed(small_force: Path, tmp_path: Path) -> None:
    instance = copied(small_force, tmp_path / "here")
    instance.chmod(0o700)
    key = instance / "return-key.pem"
    key.unlink(missing_ok=True)
    missing = read_findings(run_command(settings(instance), "doctor"))["returns"]
    made = run_command(settings(instance), "returns", "keys", "make").stdout
    present = read_findings(run_command(settings(instance), "doctor"))["returns"]
    key.chmod(0o644)
    open_to_others = read_findings(run_command(settings(instance), "doctor"))["returns"]

    assert (missing[0], present[0], open_to_others[0]) == ("NOTE", "OK", "PROBLEM")
    assert "flask returns keys make" in missing[1]
    assert made.split("Fingerprint: ")[1][:16] in present[1]
    assert f"{key} can be read by others: run chmod 600 on it" in open_to_others[1]
