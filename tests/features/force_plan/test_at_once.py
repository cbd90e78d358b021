"""Several people at the plan at the same instant: it is published once, and never by its author."""

from collections import Counter
from datetime import UTC, datetime

import pytest
import time_machine
from sqlalchemy import func, select

from portal.domain.catalogue.models import Activity, GuideVersion
from portal.domain.catalogue.version_cache import shared_content
from portal.features.assurance.models import PlanVersion
from portal.features.force_plan.models import PlanProposal
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.features.assurance.desk_browsing import AUDITOR, OWNER
from tests.features.assurance.factories import make_recommendation
from tests.features.assurance.test_at_once import SECOND, CrowdedDesk
from tests.features.force_plan.factories import propose_plan, write_plan

pytestmark = pytest.mark.slow
DRAFT, REASON = "/assurance/plan/draft", {"reason": "Say who stands in."}


@pytest.fixture
def desk(serving):
    with time_machine.travel(datetime(2026, 5, 12, 9, tzinfo=UTC)):
        desk = CrowdedDesk(serving)
        make_recommendation("plan", title="A clear plan")
        yield desk


def list_published() -> list[PlanVersion]:
    return list(db.session.scalars(select(PlanVersion).order_by(PlanVersion.number)))


def count_guides() -> int:
    of_plan = select(func.count()).select_from(GuideVersion).join(Activity)
    return db.session.scalar(of_plan.where(Activity.key == "force-plan")) or 0


def test_a_plan_is_published_or_sent_back_once_and_never_by_its_author(desk):
    path = f"/assurance/plan/proposals/{propose_plan(desk.people[OWNER], in_one_line='ask who waits')}"
    assert desk.send(*[(OWNER, f"{path}/publish", {})] * 3, (OWNER, f"{path}/send-back", REASON)) == [409] * 4
    assert (list_published(), count_guides(), "sharing_plan" in shared_content().values) == ([], 0, False)

    codes = desk.send(
        *[(who, f"{path}/publish", {}) for who in (SECOND, SECOND, AUDITOR, OWNER)],
        (AUDITOR, f"{path}/send-back", REASON),
        (OWNER, f"{path}/withdraw", {}),
    )

    assert Counter(codes) == {303: 1, 409: 5}
    ended = db.session.scalars(select(PlanProposal)).one()
    published = list_published()
    assert len(published) == count_guides() == (1 if ended.ended_as == "published" else 0)
    assert ended.ended_by_id != desk.people[OWNER] or ended.ended_as == "withdrawn"
    assert {row.proposed_by_id for row in published} <= {desk.people[OWNER]}
    assert {row.published_by_id for row in published} <= {desk.people[SECOND], desk.people[AUDITOR]}
    assert ("sharing_plan" in shared_content().values) == bool(published)


def test_of_two_that_publish_one_does_and_the_next_version_has_the_next_number(desk):
    for number in (1, 2):
        proposal = propose_plan(desk.people[OWNER], rocu=f"Way {number}")
        path = f"/assurance/plan/proposals/{proposal}/publish"
        assert sorted(desk.send(*((who, path, {}) for who in (SECOND, AUDITOR)))) == [303, 409]

    assert [row.number for row in list_published()] == [1, 2]
    assert count_guides() == 2


def test_of_two_that_begin_one_writes_and_what_is_sent_is_written_in_no_more(desk):
    begin = "/assurance/plan/document"
    assert sorted(desk.send(*((who, begin, {}) for who in (OWNER, SECOND, OWNER)))) == [303, 409, 409]
    row = db.session.scalars(select(PlanProposal)).one()
    writer = OWNER if row.proposed_by_id == desk.people[OWNER] else SECOND
    assert desk.send((writer, f"/assurance/plan/proposals/{row.id}/withdraw", {})) == [303]
    write_plan(desk.people[OWNER])

    send = {"note": "The first", "review_on": "1 May 2027"}
    desk.send((OWNER, DRAFT, send), (OWNER, DRAFT, send), (OWNER, f"{DRAFT}/share", {"plan-rocu": "Daily"}))

    actions = select(AuditEvent.action).where(AuditEvent.action.startswith("plan.")).order_by(AuditEvent.id)
    logged = db.session.scalars(actions).all()
    assert (logged[-1], logged.count("plan.proposed")) == ("plan.proposed", 1)
