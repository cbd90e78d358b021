"""What the tests of the pages of grants share."""

from sqlalchemy import func, select

from portal.domain.people.models import RoleGrant
from portal.platform.audit import AuditEvent
from portal.platform.db import db
from tests.factories.people import make_grant, make_person, make_unit
from tests.page_reading import Page, PortalClient, words
from tests.pages.account.browsing import make_account, sign_in

LIST, PROPOSED, REVIEW = "/grants", "/grants/proposed", "/grants/review"


def signed_in_administrator(client: PortalClient) -> PortalClient:
    """The browser, with D9001, administrator of the whole force, signed in."""
    make_grant(make_account("D9001", unit=make_unit("Corporate Services")), "administrator")
    sign_in(client, "D9001", path="/sign-in?next=/account")
    return client


def table_rows(page: Page) -> list[list[str]]:
    """The texts of the cells of each row of the page's tables."""
    return [[words(cell) for cell in row] for row in page.all("tr")][1:]


def count_live_grants() -> int:
    """The number of grants that nobody has ended."""
    return db.session.scalar(select(func.count()).where(RoleGrant.ended_at.is_(None))) or 0


def subjects_of(action: str) -> list[int | None]:
    """The people on whom an audited action was done, in order."""
    return list(
        db.session.scalars(
            select(AuditEvent.subject_id).where(AuditEvent.action == action).order_by(AuditEvent.id)
        )
    )


def make_team(name: str, manager: str, reports: int, above: int | None = None) -> tuple[int, int]:
    """Make a unit with a sergeant and direct reports; return the ids of the unit and the sergeant."""
    unit = make_unit(name, above)
    boss = make_person(unit, staff_number=manager, surname=f"Boss {manager}", rank="Sergeant")
    for _ in range(reports):
        make_person(unit, manager=boss)
    return unit, boss
