"""Directives that ask modules of response officers, issued as their file says it."""

from sqlalchemy import select

from portal.domain.directives.services import issue_toml
from portal.domain.people.models import PersonName
from portal.platform.db import db, stamp, transaction
from tests.factories.people import make_person, make_unit


def ask(
    *modules: str,
    reference: str = "OIC-2026",
    due: str = "2026-04-30",
    effective: str = "2025-09-01",
    months: int = 0,
    withdrawn: bool = False,
) -> None:
    """Issue a directive, or its next version, that asks these modules of everyone with the role response."""
    owner = f"OWN-{reference}"
    if db.session.scalar(select(PersonName.person_id).where(PersonName.staff_number == owner)) is None:
        make_person(make_unit(f"Owners of {reference}"), staff_number=owner, role="staff")
    requirements = "".join(f'[[requirement]]\nkind = "module"\nkey = "{key}"\n' for key in modules)
    validity = f"[validity]\nmonths = {months}" if months else ""
    text = f"""
reference = "{reference}"
title = "E-learning {reference}"
source = "Inspection recommendation"
wording = "Complete these modules."
owner = "{owner}"
effective_on = {effective}
target = 1.0
notice_days = [30]
expiring_days = 60
withdrawn = {str(withdrawn).lower()}
[due]
on = {due}
{validity}
[[audience]]
designated_role = ["response"]
{requirements}"""
    with transaction():
        issue_toml(text.encode(), at=stamp())
