"""Who did what is written down for every act that matters, without a secret or a name in it."""

import json

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.domain.catalogue.folders import write
from tests.domain.imports.rosters import row, run, write_csv
from tests.pages.account.browsing import PASSWORD, let_in, make_account, sign_in
from tests.pages.directives.text import directive_text

ACTS = {
    "account.signed_in",
    "account.refused",
    "access.refused",
    "account.invited",
    "account.password_set",
    "completions.exported",
    "module.published",
    "roster.imported",
    "records.imported",
    "directive.issued",
    "role.granted",
    "role.revoked",
}


def act(app, *words: str) -> None:
    done = run(app, *words)
    assert done.exit_code == 0, done.stderr


def test_every_act_of_an_operator_and_of_a_person_leaves_its_event(app, client, tmp_path):
    make_account("D4001")
    act(app, "modules", "publish", str(write(tmp_path / "modules")))
    text_of = directive_text().replace(b'key = "recognise"', b'key = "sample"')
    (tmp_path / "directive.toml").write_bytes(text_of)
    act(app, "directives", "issue", str(tmp_path / "directive.toml"))
    act(app, "people", "import", str(write_csv(tmp_path / "roster.csv", [row("R1")])))
    columns = "staff_number,requirement_kind,requirement,achieved_at,score_scaled,source_system,evidence"
    (tmp_path / "records.csv").write_text(f"{columns}\nR1,module,sample,2026-04-30,,Elsewhere,Seen\n")
    act(app, "records", "import", str(tmp_path / "records.csv"), "--profile", "default")
    act(app, "accounts", "invite", "R1")
    act(app, "people", "grant", "R1", "auditor")
    act(app, "people", "revoke", "R1", "auditor")
    output = str(tmp_path / "out.csv")
    report = ("report", "completions", "--directive", "OIC-2026", "--format", "csv", "--output", output)
    act(app, *report)
    sign_in(client, "D4001", password="not the one at all")
    let_in(client, "D4001")
    assert client.get("/monitoring").status_code == 403

    events = db.session.scalars(select(AuditEvent)).all()

    assert ACTS - {event.action for event in events} == set()
    told = " ".join(json.dumps(event.detail) for event in events)
    for secret in (PASSWORD, "not the one at all", "Shah", "Priya", "westshire.example", "set-password"):
        assert secret not in told
    assert all(event.happened_at.tzinfo is not None for event in events)


@pytest.mark.parametrize("change", ["UPDATE audit_event SET action = 'x'", "DELETE FROM audit_event"])
def test_an_event_can_be_neither_changed_nor_removed(app, client, change):
    make_account("D4001")
    let_in(client, "D4001")

    with pytest.raises(DBAPIError, match="append-only"), db.session.begin_nested():
        db.session.execute(text(change))
