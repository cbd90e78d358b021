"""A score reads alike wherever it is stated: on every page, in every file and in what other systems read."""

import re
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import select

from portal.domain.assessment.models import Attempt, Submission
from portal.domain.catalogue.models import ModuleVersion
from portal.domain.directives.models import Directive
from portal.domain.records import services as records
from portal.domain.records.models import Record, Registration
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from portal.platform.permissions import Role
from tests.domain.status.facts import add
from tests.domain.status.facts import make_version as make_directive_version
from tests.factories.catalogue import make_version
from tests.factories.people import make_grant
from tests.page_reading import read_words
from tests.pages.access.world import Subject, address_of
from tests.pages.api.calling import system
from tests.pages.learning.working import attempt_base, begin, learner

pytestmark = pytest.mark.slow

JUST_BELOW, PASSED = Decimal("9.5999"), Decimal("11.8125")  # of 12, where 9.6 pass
OUT_OF_12 = re.compile(r"\b(?!12 )\d+(?:\.\d+)? of 12\b(?: \(\d+%\))?")
AFTER_WITH = re.compile(r"\bwith (\d[\d.]*%?)")
BOTH = {"people.show_person", "learning.show_outcome", "assessment.show_answers"}


@pytest.fixture
def attempts(client):
    """A fail just below the pass mark, then a pass with a fraction, of somebody who may open most pages."""
    version = db.session.get_one(ModuleVersion, make_version(items=12, draw=12, mastery="0.8"))
    directive = add(Directive(reference="OIC-2026"))
    make_directive_version(directive, {1: version.activity_id}, due_fixed_on=date(2030, 4, 30))
    person = learner(client)
    for role in Role:
        make_grant(person, role)
    failed = submit(begin(client), JUST_BELOW)
    assert "Not passed, 9.5 of 12 (79%)" in client.page("/learning/modules/protect").text
    passed = submit(client.press(client.page(f"/assessment/{failed}/outcome"), "Try again"), PASSED)
    return failed, passed


def submit(page, raw):
    """End the attempt of a page with so many of 12 marks; returns its id."""
    attempt = db.session.get_one(Attempt, UUID(attempt_base(page).split("/")[2]))
    whole = int(raw)
    marks = ["1.0000"] * whole + [f"{raw - whole:.4f}"] + ["0.0000"] * (11 - whole)
    items = [str(drawn["item_id"]) for drawn in attempt.drawn]
    score = {"score_raw": raw, "score_max": 12, "mastery_score": attempt.mastery_score}
    with transaction():
        at = stamp()
        submission = Submission(
            attempt_id=attempt.id,
            marks=dict(zip(items, marks, strict=True)),
            submitted_at=clock.now(),
            recorded_at=at,
            **score,
        )
        db.session.add(submission)
        if submission.passed:
            registration = db.session.get_one(Registration, attempt.registration_id)
            records.record_pass(registration, attempt.id, **score, at=submission.submitted_at)
    return attempt.id


def read_everything(app, client, attempts):
    """The words of whatever the addresses of the portal answer with, by endpoint."""
    reference = db.session.scalars(select(Record.reference)).one()
    read = {}
    for attempt in attempts:
        subject = Subject("D1001", attempt, reference, UUID(int=0), UUID(int=0))
        for rule in app.url_map.iter_rules():
            if "GET" in rule.methods and not rule.rule.startswith(("/api/", "/scim/", "/sign-")):
                answer = client.get(address_of(app, rule, subject))
                if answer.status_code == 200:
                    text = re.sub(r"<[^>]+>", " ", read_words(answer.data))
                    read[rule.endpoint] = " ".join([read.get(rule.endpoint, ""), *text.split()])
    return read


def test_a_score_reads_alike_on_every_page_and_in_every_file(app, client, attempts):
    read = read_everything(app, client, attempts)

    stated = {endpoint: set(OUT_OF_12.findall(text)) for endpoint, text in read.items()}
    assert {endpoint: scores for endpoint, scores in stated.items() if scores} == {
        **{endpoint: {"9.5 of 12 (79%)", "11.8 of 12 (98%)"} for endpoint in BOTH},
        "records.show_record": {"11.8 of 12 (98%)"},
    }
    assert set(AFTER_WITH.findall(read["people.show_person"])) == {"98%", "11.8"}
    assert "Worth 0.8 of 1" in read["assessment.show_answers"]
    for endpoint, text in read.items():
        assert not {"11.8125", "9.5999", "0.8125"} & set(re.findall(r"[\d.]+", text)), endpoint


def test_files_and_other_systems_have_the_exact_score(app, client, attempts):
    files = "/monitoring/directives/OIC-2026/completions"
    [row] = client.get(f"{files}.json").get_json()["rows"]
    [record] = system(app).read("/records")["items"]
    assert row["score_scaled"] == record["score_scaled"] == 0.9843
    assert ",0.9843,0.8000," in client.get(f"{files}.csv").text
    assert "0.9843" in read_words(client.get(f"{files}.xlsx").data)
