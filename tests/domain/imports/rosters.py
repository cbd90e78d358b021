"""Rosters as files, and commands run on them as a person would."""

import csv

from portal.domain.people import roster_store
from portal.domain.people.roster_plan import plan_with_faults
from portal.platform.db import db, stamp, transaction
from portal.platform.errors import BadInputError

COLUMNS = (
    "staff_number",
    "surname",
    "forenames",
    "email",
    "rank_or_grade",
    "designated_role",
    "unit_path",
    "line_manager_staff_number",
    "valid_from",
    "valid_to",
)
TEAM = "Westshire Police/Local Policing/Team 1"


def row(staff_number="R1", **values):
    """One good row; name what is different."""
    return {
        "staff_number": staff_number,
        "surname": "Shah",
        "forenames": "Priya",
        "email": f"{staff_number.lower()}@westshire.example",
        "rank_or_grade": "Constable",
        "designated_role": "response",
        "unit_path": TEAM,
        "line_manager_staff_number": "",
        "valid_from": "2025-01-01",
        "valid_to": "",
        **values,
    }


def write_csv(path, rows, columns=COLUMNS, encoding="utf-8"):
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, [*columns, *sorted({k for r in rows for k in r} - set(columns))], "")
        writer.writeheader()
        writer.writerows(rows)
    return path


def run(app, *arguments):
    """Run a command; what it wrote is then seen by the test's own session."""
    db.session.commit()
    result = app.test_cli_runner().invoke(args=[str(argument) for argument in arguments])
    db.session.expire_all()
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def plan_rows(rows):
    """The plan of these parsed rows, all of them good."""
    plan, reasons = plan_with_faults(rows, roster_store.read_baseline())
    if reasons:
        raise BadInputError(reasons)
    return plan


def import_rows(rows):
    """Write what these parsed rows change; returns the plan."""
    with transaction():
        at = stamp()
        plan = plan_rows(rows)
        roster_store.write_plan(plan, at, by=None)
    return plan
