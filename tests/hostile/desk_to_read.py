"""A desk with one of everything, packs, dip samples and returns, and the address of each page of them."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.routing import Rule

from portal.features.assurance.evidence_kinds import keep_document
from portal.features.assurance.narratives import write_narrative
from portal.features.assurance.services import DecisionDetails, record_decision
from portal.features.returns.comparisons import FEWEST_FORCES
from portal.platform import clock
from portal.platform.db import transaction
from tests.features.assurance.factories import (
    give_owner,
    make_action,
    make_evidence,
    make_judgement,
    make_recommendation,
)
from tests.features.dip_samples.factories import make_sample
from tests.features.force_plan.factories import publish_next_plan, write_plan
from tests.features.returns.factories import ask_for, make_force, make_return
from tests.journeys.returns_made import keep_returns
from tests.page_reading import PortalClient
from tests.pages.monitoring.preparing import run_jobs

ROOMS = ("assurance.", "dip_samples.", "force_plan.", "packs.", "returns.")
KEY = "e-learning"
PDF = b"%PDF-1.7\n1 0 obj\nendobj\nstartxref\n9\n%%EOF\n"
FIGURE = {"directive": "OIC-2026", "requirement": "", "threshold": "0.9"}
SAMPLES = {"measure": "submitted", "months": 3, "threshold": "0.9"}
Names = dict[str, Any]


def fill_desk(app: Flask, client: PortalClient, viewer: int, other: int, unit: int) -> Names:
    """Fill the desk, and return what its addresses name.

    Args:
        app: On its database.
        client: The browser of the viewer.
        viewer: Who owns what is to be done, and writes the next plan.
        other: A second person.
        unit: The unit of the dip sample.
    """
    today = clock.today()
    names: Names = {"key": KEY, "unit_id": unit, "month": "2026-04", "kind": "link", "section_key": "share"}
    recommendation = make_recommendation(KEY)
    give_owner(recommendation, viewer, by=other)
    make_action(recommendation, by=other, owner_id=viewer, due_on=today)
    names["digest"] = _add_evidence(recommendation, other, today)
    names["judgement_id"] = make_judgement(recommendation, "not_met", by=other)
    details = DecisionDetails(title="Brief", text="Every team.", decided_by="Board")
    with transaction():
        names["decision_id"] = record_decision(KEY, details, from_on=today, at=clock.now(), by=other)
    with transaction():
        write_narrative(KEY, "We did.", [], from_on=today, at=clock.now(), by=other)
    make_recommendation("plan", title="A clear plan")
    publish_next_plan(other, viewer)
    names["proposal_id"] = write_plan(viewer)
    make_sample(unit, other, date(2026, 4, 1))
    page = client.press(client.page(f"/assurance/{KEY}/pack"), "Make the answer pack")
    run_jobs(app)
    names["uuid"] = page.links["Show the latest state"].rpartition("/")[2]
    made = keep_returns(Path(app.instance_path))
    ask_for("2026-04", date(2026, 5, 14))
    for number in range(FEWEST_FORCES):
        make_return(make_force(f"force-{number}"), "2026-04", 40 + number)
    return names | {"made": made["month"], "force": made["force"], "fingerprint": made["fingerprint"]}


def _add_evidence(recommendation: int, by: int, today: date) -> str:
    """A piece of each kind that a test can read; the digest of the document."""
    with transaction():
        document = keep_document(PDF, "plan.pdf", by=by)
    later = today + timedelta(days=30)
    make_evidence(recommendation, "figure", FIGURE, by=by)
    make_evidence(recommendation, "samples", SAMPLES, by=by)
    make_evidence(recommendation, "document", document, by=by, review_on=later)
    make_evidence(recommendation, "link", {"address": "https://police.example/plan"}, by=by)
    make_evidence(recommendation, "statement", {"text": "We did.", "post": "Head"}, by=by, review_on=later)
    return str(document["digest"])


def address_in_desk(app: Flask, rule: Rule, names: Names) -> str:
    """The address of a page of the desk, of dip samples or of returns."""
    given = {**names, "number": 1, "period": "2026-04", "edition": "answer"}
    given["reference"] = "A-0001" if "action" in rule.endpoint else "E-0001"
    if rule.endpoint.startswith("returns."):
        given["key"] = names["force"]
    if rule.endpoint in ("returns.download_return", "returns.show_comparison"):
        given["period"] = names["made"]
    with app.test_request_context():
        return app.url_map.bind("127.0.0.1").build(
            rule.endpoint, {name: value for name, value in given.items() if name in rule.arguments}
        )
