"""A file of a report that is asked for past its page: the force of the journeys is too small for one."""

import json
from datetime import UTC, datetime
from uuid import uuid4

from tests.journeys.walking import ask, change
from tests.running import Server


def file_asked(server: Server, staff_number: str, name: str = "completions.xlsx", **filters: str) -> str:
    """The address of the page of a file that a worker is about to make for this person."""
    file, job, now = uuid4(), uuid4(), datetime.now(UTC)
    ((person,),) = ask(
        server.instance, "SELECT person_id FROM person_name WHERE staff_number = ?", staff_number
    )
    at = {"as_at": now.date().isoformat(), "as_known_on": now.isoformat()}
    stored = now.replace(tzinfo=None).isoformat(" ")
    change(
        server.instance,
        "INSERT INTO prepared_file (id, job_id, asked_by_id, asked_at, directive, name, position, filters,"
        " digest) VALUES (?, ?, ?, ?, 'OIC-2026', ?, ?, ?, '')",
        file.hex, job.hex, person, stored, name, json.dumps(at), json.dumps(filters),
    )  # fmt: skip
    change(
        server.instance,
        "INSERT INTO job (reference, kind, arguments, state, done, total, said, asked_by_id, asked_at,"
        " reason, runs) VALUES (?, 'report_file', ?, 'waiting', 0, 0, '', ?, ?, '', 0)",
        job.hex, json.dumps({"file": str(file)}), person, stored,
    )  # fmt: skip
    return f"/monitoring/files/{file}"
