"""A force's year as its clerks would keep it: files brought in on dated mornings, and positions asked for."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path

import time_machine
from flask import Flask

from portal.platform.clock import LONDON
from portal.platform.db import db
from tests.domain.imports.rosters import row, write_csv

FORCE = "Westshire Police"
NORTH, SOUTH = f"{FORCE}/North", f"{FORCE}/South"
DIRECTIVE = """
reference = "{reference}"
title = "Organised immigration crime e-learning"
source = "Inspection recommendation"
wording = "Complete the module."
owner = "OWNER"
effective_on = {effective_on}
target = 1.0
notice_days = [30, 7]
expiring_days = 60
{more}
[due]
{due}
{validity}
[[audience]]
{audience}
[[requirement]]
kind = "module"
key = "recognise"
"""
EXCLUSIONS = "staff_number,directive,kind,reason,valid_from,valid_to,due_on,decided_by,comment\n"
COMPLETIONS = "staff_number,requirement_kind,requirement,achieved_at,score_scaled,source_system,evidence\n"


class Calendar:
    """One force on one database; every entry is dated, later than the one before, and made by command."""

    def __init__(self, app: Flask, folder: Path, traveller: time_machine.Traveller) -> None:
        self._app, self._folder, self._clock = app, folder, traveller
        self.on("2025-01-06")
        self.roster(row("OWNER", rank_or_grade="Inspector", designated_role="training", unit_path=FORCE))

    def on(self, day: str, at: str = "09:00") -> "Calendar":
        """It is this time in London on this day."""
        self._clock.move_to(datetime.combine(date.fromisoformat(day), time.fromisoformat(at), LONDON))
        return self

    def run(self, *arguments: str) -> str:
        """Run a command that has to work; what it said."""
        db.session.commit()
        result = self._app.test_cli_runner().invoke(args=list(arguments))
        db.session.expire_all()
        assert result.exit_code == 0, f"{arguments}: {result.output}"
        return result.stdout

    def _file(self, name: str, text: str) -> str:
        path = self._folder / name
        path.write_text(text, encoding="utf-8")
        return str(path)

    def roster(self, *rows: dict[str, str]) -> str:
        """Bring these rows in."""
        return self.run("people", "import", str(write_csv(self._folder / "roster.csv", rows)))

    def issue(
        self,
        *,
        effective_on: str = "2025-09-01",
        due: str = "on = 2026-04-30\ndays_after_joining = 60",
        audience: str = 'designated_role = ["response"]',
        validity: str = "",
        reference: str = "OIC-2026",
        more: str = "",
    ) -> str:
        """Issue the directive, or its next version."""
        text = DIRECTIVE.format(**{k: v for k, v in locals().items() if k != "self"})
        return self.run("directives", "issue", self._file("directive.toml", text))

    def exclude(self, staff_number: str, kind: str, reason: str, first: str, last: str, due: str = "") -> str:
        """Exempt or defer somebody."""
        cells = (staff_number, "OIC-2026", kind, reason, first, last, due, "OWNER", "")
        return self.run(
            "directives", "exclude", self._file("exclusions.csv", EXCLUSIONS + ",".join(cells) + "\n")
        )

    def passed(self, staff_number: str, achieved: str) -> str:
        """Bring in a completion that another system holds: a day, or an instant with its offset."""
        cells = (staff_number, "module", "recognise", achieved, "", "The old system", "Ledger page 4")
        text = COMPLETIONS + ",".join(cells) + "\n"
        return self.run("records", "import", self._file("completions.csv", text), "--profile", "default")

    def position(self, as_at: str, known_on: str = "", reference: str = "OIC-2026") -> dict[str, str]:
        """Who is asked on this day, and how they stand: the status and the due date, by staff number."""
        return {
            found["staff_number"]: f"{found['status']}, due {found['due_on']}"
            for found in self.lines(as_at, known_on, reference)
        }

    def places(self, as_at: str, known_on: str = "") -> dict[str, str]:
        """The path of the unit under which each is counted on this day."""
        return {found["staff_number"]: found["unit_path"] for found in self.lines(as_at, known_on)}

    def lines(self, as_at: str, known_on: str = "", reference: str = "OIC-2026") -> list[dict[str, str]]:
        """The rows of the completion file."""
        target = self._folder / "report.json"
        known = ["--as-known-on", known_on] if known_on else []
        asked = ["--directive", reference, "--as-at", as_at, *known, "--format", "json"]
        self.run("report", "completions", *asked, "--output", str(target))
        rows: list[dict[str, str]] = json.loads(target.read_text(encoding="utf-8"))["rows"]
        return rows


@contextmanager
def opened(app: Flask, folder: Path) -> Iterator[Calendar]:
    """A calendar whose days begin in January 2025."""
    with time_machine.travel(datetime(2025, 1, 1, tzinfo=LONDON), tick=False) as traveller:
        yield Calendar(app, folder, traveller)
