"""Several people at the desk at the same instant, on a database whose writers really wait for each other."""

import hashlib
import io
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import urljoin

import pytest
import time_machine
from sqlalchemy import func, select

from portal.domain.people.positions import is_known_fact
from portal.features.assurance.models import (
    ActionDependency,
    ActionVersion,
    AssuranceDecision,
    Evidence,
    EvidenceDocument,
    Judgement,
    JudgementDecision,
)
from portal.features.assurance.services import find_cycle
from portal.platform.db import db
from portal.platform.permissions import Role
from tests.factories.people import make_grant
from tests.features.assurance.desk_browsing import AUDITOR, OWNER, make_desk_people, sign_in_each
from tests.features.assurance.factories import make_action, make_judgement, make_recommendation
from tests.pages.account.browsing import make_account
from tests.pages.decisions.test_at_once import send_at_once

pytestmark = pytest.mark.slow
HERE = "/assurance/e-learning"
SECOND = "D4002"
PDF = b"%PDF-1.7\n1 0 obj\nendobj\nstartxref\n9\n%%EOF\n"


class CrowdedDesk:
    """One recommendation, two directive owners and an auditor, who press together."""

    def __init__(self, app):
        self.app, self.people = app, make_desk_people()
        self.people[SECOND] = make_account(SECOND)
        make_grant(self.people[SECOND], Role.DIRECTIVE_OWNER)
        self.recommendation = make_recommendation()
        self.browser_of = sign_in_each(app)

    def send(self, *sends) -> list[int]:
        """The answers' codes when these are sent together: who, which path below the page, which fields.

        A path that begins with a slash is one of the portal.
        """
        made = []
        for who, path, fields in sends:
            token = self.browser_of(who).page("/account").form_with("Sign out").fields["csrf_token"][0]
            made.append((self.browser_of(who), urljoin(f"{HERE}/", path), {"csrf_token": token, **fields}))
        codes = [answer.status_code for answer in send_at_once(self.app, made)]
        db.session.rollback()  # what is read from here on is what they left
        return codes


@pytest.fixture
def desk(serving):
    with time_machine.travel(datetime(2026, 5, 12, 9, tzinfo=UTC), tick=False):
        yield CrowdedDesk(serving)


def count(table: type) -> int:
    return db.session.scalar(select(func.count()).select_from(table)) or 0


def test_two_that_make_actions_wait_for_each_other_make_no_circle(desk):
    one, other = (make_action(desk.recommendation, by=desk.people[OWNER]) for _ in range(2))
    same = {"title": "Brief every team", "state": "open", "reason": "It waits.", "from_on": "12 May 2026"}

    codes = desk.send(
        (OWNER, "actions/A-0001", {**same, "waits_for": "A-0002"}),
        (SECOND, "actions/A-0002", {**same, "waits_for": "A-0001"}),
    )

    assert sorted(codes) == [303, 400]
    waits: dict[int, set[int]] = {}
    statement = (
        select(ActionVersion.action_id, ActionDependency.depends_on_id)
        .join(ActionDependency, ActionDependency.action_version_id == ActionVersion.id)
        .where(is_known_fact(ActionVersion))
    )
    for action, waited_for in db.session.execute(statement):
        waits.setdefault(action, set()).add(waited_for)
    assert sorted(waits) in ([one], [other])
    assert not find_cycle(waits, one)


def test_a_judgement_is_decided_once_and_never_confirmed_by_its_author(desk):
    judgement = make_judgement(desk.recommendation, "not_met", by=desk.people[OWNER])
    path = f"judgement/{judgement}"
    assert desk.send(*[(OWNER, f"{path}/confirm", {})] * 4) == [409] * 4
    assert count(JudgementDecision) == 0

    codes = desk.send(
        *[(SECOND, f"{path}/confirm", {})] * 2,
        (AUDITOR, f"{path}/send-back", {"reason": "No."}),
        (OWNER, f"{path}/confirm", {}),
        (OWNER, f"{path}/withdraw", {}),
    )

    assert Counter(codes)[303] == count(JudgementDecision) == 1
    decided = db.session.scalars(select(JudgementDecision)).one()
    assert decided.outcome == "withdrawn" or decided.decided_by_id != desk.people[OWNER]


def test_of_two_judgements_one_waits_and_of_two_corrections_one_holds(desk):
    made = {"state": "not_met", "reason": "It is so.", "from_on": "12 May 2026"}
    assert sorted(desk.send(*((who, "judgement/new", made) for who in (OWNER, SECOND)))) == [303, 400]
    assert count(Judgement) == 1

    words = {"title": "Brief", "text": "All.", "decided_by": "Board", "from_on": "12 May 2026"}
    assert desk.send((OWNER, "decisions/new", words)) == [303]
    decision = db.session.scalar(select(AssuranceDecision.id))
    path = f"decisions/{decision}"
    codes = desk.send(
        (OWNER, path, words | {"title": "One"}),
        (SECOND, path, words | {"title": "Two"}),
        (SECOND, f"{path}/taken-back", {}),
    )
    assert sorted(codes) == [303, 409, 409]
    assert count(AssuranceDecision) == 2


def test_the_same_document_sent_twice_at_once_is_kept_once(desk):
    fields = {"title": "The plan", "review_on": "1 June 2026", "from_on": "12 May 2026"}
    sends = [
        (who, "evidence/new/document", {**fields, "file": (io.BytesIO(PDF), f"{who}.pdf")})
        for who in (OWNER, SECOND)
    ]
    assert desk.send(*sends) == [303, 303]
    assert db.session.scalars(select(EvidenceDocument.digest)).all() == [hashlib.sha256(PDF).hexdigest()]
    assert sorted(db.session.scalars(select(Evidence.reference))) == ["E-0001", "E-0002"]
