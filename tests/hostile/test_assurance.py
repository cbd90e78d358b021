"""Requests that no page of the desk, of returns or of samples makes: forged, of somebody else, or absurd."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal.features.assurance.models import (
    AssuranceDecision,
    Evidence,
    EvidenceDocument,
    EvidenceVersion,
    Judgement,
    JudgementDecision,
    PlanVersion,
    RecommendationOwner,
)
from portal.features.dip_samples.models import DipSample
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.factories.people import make_grant, make_unit
from tests.features.assurance.desk_browsing import AUDITOR, LEARNER, OWNER, make_desk_people
from tests.features.assurance.factories import make_judgement, make_recommendation
from tests.features.force_plan.factories import propose_plan
from tests.page_reading import PortalClient
from tests.pages.account.browsing import another, let_in, make_account

pytestmark = pytest.mark.usefixtures("database")
HERE = "/assurance/e-learning"
NOW = datetime(2026, 5, 12, 9, tzinfo=UTC)
SECOND, OF_A_UNIT = "D4002", "D4003"
FACTS = (AssuranceDecision, Evidence, EvidenceVersion, Judgement, JudgementDecision, RecommendationOwner)
NUMBERS = ("9" * 25, "9" * 19, "9" * 5000, "-1", "1e9", "\x00", "\u202e1")
PDF = b"%PDF-1.7\n1 0 obj\nendobj\nstartxref\n9\n%%EOF\n"


@dataclass
class DeskFoes:
    """A desk with one recommendation, and browsers that send whatever they like."""

    app: Flask
    people: dict[str, int]
    recommendation: int
    unit: int
    browsers: dict[str, PortalClient]
    tokens: dict[str, str]

    def browser(self, who: str) -> PortalClient:
        if who not in self.browsers:
            self.browsers[who] = another(self.app)
            let_in(self.browsers[who], who)
            page = self.browsers[who].page("/account")
            self.tokens[who] = page.form_with("Sign out").fields["csrf_token"][0]
        return self.browsers[who]

    def post(self, who: str, path: str, **fields: object) -> int:
        browser = self.browser(who)
        return browser.post(path, data={"csrf_token": self.tokens[who], **fields}).status_code

    def get(self, who: str, path: str) -> int:
        return self.browser(who).get(path).status_code


@pytest.fixture
def foes(app: Flask) -> Iterator[DeskFoes]:
    with time_machine.travel(datetime(2026, 5, 1, 9, tzinfo=UTC), tick=False):
        people = make_desk_people()
        people[SECOND] = make_account(SECOND)
        make_grant(people[SECOND], Role.DIRECTIVE_OWNER)
        people[OF_A_UNIT] = make_account(OF_A_UNIT)
        unit = make_unit("South")
        make_grant(people[OF_A_UNIT], Role.DIRECTIVE_OWNER, unit)
        recommendation = make_recommendation()
    with time_machine.travel(NOW, tick=False):
        yield DeskFoes(app, people, recommendation, unit, {}, {})


def count(*tables: type) -> int:
    return sum(db.session.scalar(select(func.count()).select_from(table)) or 0 for table in tables)


STATEMENT = {
    "title": "Checklists are in use",
    "text": "Every unit has the checklist.",
    "post": "Head of Crime",
    "review_on": "1 September 2026",
}


def test_whoever_changes_the_title_of_a_statement_does_not_sign_it(foes: DeskFoes) -> None:
    assert foes.post(OWNER, f"{HERE}/evidence/new/statement", **STATEMENT) == 303
    with time_machine.travel(datetime(2026, 5, 20, 9, tzinfo=UTC), tick=False):
        foes.browsers.clear()
        change = {
            "title": "Other",
            "review_on": "1 October 2026",
            "from_on": "20 May 2026",
            "reason": "Late.",
        }
        assert foes.post(SECOND, f"{HERE}/evidence/E-0001/change", **change) == 303
        page = foes.browser(AUDITOR).page(f"{HERE}/evidence/E-0001").text
    assert "Signed as Head of Crime on 12 May 2026" in page
    assert "on 20 May 2026" not in page.split("Signed as")[1][:60]


def test_nothing_is_signed_before_the_day_on_which_it_was(foes: DeskFoes) -> None:
    assert foes.post(OWNER, f"{HERE}/evidence/new/statement", **STATEMENT) == 303
    change = {"title": "Other", "review_on": "1 October 2026", "from_on": "2 May 2026", "reason": "Late."}
    assert foes.post(OWNER, f"{HERE}/evidence/E-0001/change", **change) == 400
    assert foes.get(AUDITOR, f"{HERE}/evidence/E-0001?as_at=2026-05-03") == 400  # it was not there yet


@pytest.mark.parametrize("from_on", ["11 May 2026", "1 January 1900"])
def test_evidence_is_not_withdrawn_from_a_day_before_it_was_there(foes: DeskFoes, from_on: str) -> None:
    assert foes.post(OWNER, f"{HERE}/evidence/new/statement", **STATEMENT) == 303
    fields = {"from_on": from_on, "reason": "No."}
    assert foes.post(OWNER, f"{HERE}/evidence/E-0001/withdraw", **fields) == 400
    assert count(EvidenceVersion) == 1


def test_a_judgement_is_decided_under_its_own_recommendation(foes: DeskFoes) -> None:
    make_recommendation("plan")
    judgement = make_judgement(foes.recommendation, "not_met", by=foes.people[OWNER])
    for act, who in (("confirm", SECOND), ("send-back", SECOND), ("withdraw", OWNER)):
        assert foes.post(who, f"/assurance/plan/judgement/{judgement}/{act}", reason="No.") == 404
    assert count(JudgementDecision) == 0
    assert foes.post(SECOND, f"{HERE}/judgement/{judgement}/confirm") == 303


@pytest.mark.parametrize("number", NUMBERS)
def test_no_number_breaks_a_page_or_writes_anything(foes: DeskFoes, number: str) -> None:
    text = {"title": "x", "text": "x", "decided_by": "x", "reason": "x", "review_on": "1 June 2026"}
    forms = {
        f"{HERE}/owner": {"owner": number, "from_on": number},
        f"{HERE}/decisions/new": text | {"from_on": number},
        f"{HERE}/risk": {"likelihood": number, "impact": number, "text": "x", "from_on": "12 May 2026"},
        f"{HERE}/actions/new": {"title": "x", "waits_for": number, "state": number, "due_on": number},
        f"{HERE}/judgement/new": {"state": "not_met", "reason": "x", "from_on": number},
        f"{HERE}/evidence/new/figure": text | {"directive": number, "threshold": number, "unit": number},
        f"{HERE}/evidence/new/samples": text | {"measure": number, "months": number, "threshold": number},
        f"{HERE}/evidence/new/link": text | {"address": f"https://a.example:{number}/"},
        f"{HERE}/pack/foi?as_at={number}": {},
        "/dip-samples/record": {"unit": number, "month": number, "replaces": number, "reported": number},
        "/returns/new": {"directive": number, "period": number},
        "/returns/forces/new": {"key": number, "name": number, "headcount": number, "from_on": number},
        "/returns/periods": {"period": number, "due_on": number},
    }
    paths = [
        f"{HERE}/decisions/{number}",
        f"{HERE}/evidence/{number}",
        f"{HERE}/actions/{number}",
        f"/assurance/{number}",
        f"/assurance/mine/{number}",
        f"/assurance/documents/{number}.pdf",
        f"/assurance/plan/proposals/{number}",
        f"/assurance/plan/draft/{number}",
        f"/assurance/pack/files/{number}",
        f"{HERE}/history?page={number}",
        f"/assurance?as_at={number}",
        f"/dip-samples/{number}/2026-04",
        f"/dip-samples/{foes.unit}/{number}",
        f"/dip-samples/figures?months={number}",
        f"/returns/made/{number}/1.json",
        f"/returns/made/2026-04/{number}.json",
        f"/returns/forces/{number}",
        f"/returns/forces/{number}/returns/2026-04/1.json",
        f"/returns/comparisons/{number}",
        f"/returns/national?period={number}&requirement={number}",
        f"/returns/national.csv?period={number}&requirement={number}",
    ]
    posts = [
        f"{HERE}/judgement/{number}/confirm",
        f"{HERE}/judgement/{number}/send-back",
        f"{HERE}/judgement/{number}/withdraw",
        f"{HERE}/decisions/{number}/taken-back",
        f"/assurance/plan/proposals/{number}/publish",
        f"/assurance/plan/proposals/{number}/withdraw",
        f"/dip-samples/{number}/2026-04/withdraw",
        f"/dip-samples/{foes.unit}/{number}/withdraw",
    ]
    wrong = [path for path, fields in forms.items() if foes.post(OWNER, path, **fields) >= 500]
    wrong += [path for path in paths if foes.get(OWNER, path) >= 500]
    wrong += [path for path in posts if foes.post(OWNER, path, reason="x") >= 500]
    assert not wrong
    assert count(*FACTS, DipSample) == 0


@pytest.mark.parametrize("day", ["1 January 0001", "31 December 9999", "13 May 2026", "31 December 1899"])
def test_nothing_holds_from_a_day_that_cannot_be(foes: DeskFoes, day: str) -> None:
    text = {"title": "x", "text": "x", "decided_by": "x", "reason": "x"}
    forms = {
        "owner": {"owner": LEARNER},
        "decisions/new": text,
        "risk": {"likelihood": "1", "impact": "1", "text": "x"},
        "actions/new": {"title": "x", "state": "open"},
        "judgement/new": {"state": "not_met", "reason": "x"},
        "evidence/new/link": text | {"address": "https://www.police.example/", "review_on": "1 June 2026"},
        "narrative": {"text": "We are ready."},
    }
    answers = {
        name: foes.post(OWNER, f"{HERE}/{name}", from_on=day, **fields) for name, fields in forms.items()
    }
    assert set(answers.values()) <= {200, 400}, answers
    assert count(*FACTS) == 0


@pytest.mark.parametrize("period", ["0001-01", "9999-12", "1999-12", "２０２６-04", "2026-W10", "2026-04\n1"])
def test_no_return_is_asked_of_a_month_that_cannot_be(foes: DeskFoes, period: str) -> None:
    assert foes.post(OWNER, "/returns/periods", period=period, due_on="1 June 2026") == 400
    assert foes.post(OWNER, "/returns/new", period=period, directive="") == 400
    assert foes.get(OWNER, "/returns/national") == 200


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [
        ("x.pdf", b"", 400),
        ("x.pdf", b"<script>alert(1)</script>" + PDF, 400),
        ("x.pdf", b"MZ" + PDF, 400),
        ("x.pdf", PDF[:-6], 400),
        ("../../etc/passwd.pdf", PDF, 303),
        ("..\\..\\<script>alert(1)</script>\u202efdp.exe", PDF, 303),
    ],
)
def test_a_document_is_a_pdf_with_a_plain_name(
    foes: DeskFoes, name: str, content: bytes, status: int
) -> None:
    fields = {"title": "x", "review_on": "1 June 2026", "from_on": "12 May 2026"}
    path = f"{HERE}/evidence/new/document"
    assert foes.post(OWNER, path, file=(io.BytesIO(content), name), **fields) == status
    assert count(EvidenceDocument) == (status == 303)
    if status != 303:
        return
    kept = db.session.scalars(select(EvidenceDocument)).one()
    answer = foes.browser(AUDITOR).get(f"/assurance/documents/{kept.digest}.pdf")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert not set(kept.file_name) & set("/\\\x00\r\n\u202e")
    assert "<script>alert" not in foes.browser(AUDITOR).get(HERE).text


BAD = (
    "<script>alert(1)</script>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt&colon;alert(1))",
    "<img src=x onerror=alert(1)>",
    "![x](https://evil.example/x.png)",
    "{{evidence:E-0001}}{{{{state}}}}",
    "{{constructor}}",
    "{{state}",
    "{% import os %}{{7*7}}",
)


@pytest.mark.parametrize("text", BAD)
def test_nothing_runs_or_recurses_in_a_narrative_and_in_a_plan(foes: DeskFoes, text: str) -> None:
    with time_machine.travel(NOW, tick=False):
        make_recommendation("plan", title="A plan")
        proposal = propose_plan(foes.people[OWNER], owner=text, in_one_line=text)
    sent = {"text": text, "from_on": "12 May 2026", "reason": text, "state": "not_met"}
    assert foes.post(OWNER, f"{HERE}/judgement/new", **sent) == 303
    judgement = db.session.scalars(select(Judgement.id)).one()
    assert foes.post(SECOND, f"{HERE}/judgement/{judgement}/confirm") == 303
    assert foes.post(OWNER, f"{HERE}/narrative", **sent, preview="y") in (200, 400)
    told = sent | {"text": "So: {{reason}}. [x](https://www.police.example/{{reason}})", "save": "y"}
    assert foes.post(OWNER, f"{HERE}/narrative", **told) in (200, 303)
    assert foes.post(OWNER, f"/assurance/plan/proposals/{proposal}/publish") == 409
    published = foes.post(SECOND, f"/assurance/plan/proposals/{proposal}/publish")
    assert published in (303, 400)
    paths = ["narrative", "judgement", "history", ""]
    pages = [f"{HERE}/{path}".rstrip("/") for path in paths] + [f"/assurance/plan/proposals/{proposal}"]
    pages += ["/assurance", "/assurance/plan/document"] + ["/guides/plan"] * (published == 303)
    for path in pages:
        answer = foes.browser(AUDITOR).get(path)
        assert answer.status_code in (200, 404), path
        for mark in ("<script>alert", "<img src=x", 'href="javascript', 'src="https://evil'):
            assert mark not in answer.text, path
        assert ">49<" not in answer.text


def test_nobody_publishes_their_own_plan_however_often_they_ask(foes: DeskFoes) -> None:
    with time_machine.travel(NOW, tick=False):
        make_recommendation("plan", title="A plan")
        proposal = propose_plan(foes.people[OWNER])
    path = f"/assurance/plan/proposals/{proposal}"
    assert [foes.post(OWNER, f"{path}/{act}", reason="x") for act in ("publish", "publish", "send-back")] == [
        409,
        409,
        409,
    ]
    assert foes.post(SECOND, f"{path}/withdraw") == 409
    assert foes.post(OWNER, "/assurance/plan/draft/custody", **{"plan-owner": "Other"}) < 500
    assert foes.post(SECOND, f"{path}/publish") == 303
    assert [foes.post(who, f"{path}/publish") for who in (OWNER, SECOND, AUDITOR)] == [409] * 3
    assert count(PlanVersion) == 1


HEAD = "unit,month,reported,submitted,on_time,sampled,complete,graded,returned,reason\n"
ROW = "South,2026-04,12,9,8,5,4,5,1,no_time\n"


@pytest.mark.parametrize(
    "rows",
    [
        ROW + ROW.replace("12,", "13,"),
        ROW.replace("12", "=1+11"),
        ROW.replace("12", "１２"),
        ROW.replace("12", "-1"),
        ROW.replace("12", "1e3"),
        ROW.replace("12", "9" * 400),
        ROW.replace("2026-04", "0001-01"),
        ROW.replace("2026-04", "9999-12"),
        ROW.replace("2026-04", "2026-04-02"),
        ROW.replace("no_time", "=HYPERLINK(1)"),
        ROW.replace("South", "So\x00uth"),
        ROW.replace("South", "=cmd|' /C calc'!A0"),
    ],
)
def test_no_spreadsheet_of_samples_is_recorded_in_part(foes: DeskFoes, rows: str) -> None:
    make_grant(foes.people[LEARNER], Role.MANAGER, foes.unit)
    file = (io.BytesIO((HEAD + ROW.replace("2026-04", "2026-03") + rows).encode()), "x.csv")
    status = foes.post(LEARNER, "/dip-samples/import", file=file)
    assert status == 400
    assert count(DipSample) == 0
