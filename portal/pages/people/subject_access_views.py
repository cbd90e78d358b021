"""The copy of everything held about a person, for the answer to their subject access request."""

from io import BytesIO

from flask import Blueprint, render_template, request, send_file
from flask.typing import ResponseReturnValue
from flask_login import current_user

from portal.domain.subject_access.services import MOST_ENTRIES, Form, make_copy
from portal.pages.layout.access import limiter, requires
from portal.pages.layout.disclosure import log_disclosure
from portal.pages.people.account_views import find_administered_person
from portal.platform import clock
from portal.platform.db import transaction
from portal.platform.errors import RuleError
from portal.platform.permissions import Permission

FORMS: dict[str, tuple[Form, str]] = {"pdf": ("pdf", "application/pdf"), "json": ("json", "application/json")}


def add_subject_access_pages(bp: Blueprint) -> None:
    """Add the page ``/people/<staff number>/subject-access``."""
    bp.add_url_rule(
        "/people/<staff_number>/subject-access",
        "subject_access",
        subject_access,
        methods=["GET", "POST"],
    )


@requires(Permission.ACCOUNT_ADMINISTER, recent=True)
@limiter.limit("20/minute", methods=["POST"])
def subject_access(staff_number: str) -> ResponseReturnValue:
    """Say what the copy holds and what to do before it is handed over; send it when asked."""
    person = find_administered_person(staff_number)
    refusal = "Choose the PDF or the JSON file." if request.method == "POST" else ""
    if request.method == "POST" and request.form.get("format") in FORMS:
        form, kind = FORMS[request.form["format"]]
        try:
            with transaction():
                _, content = make_copy(
                    person.person_id, form, by=current_user.person_id, at=clock.now(), most=MOST_ENTRIES
                )
        except RuleError as error:
            refusal = str(error)
        else:
            name = f"personal-data-{person.staff_number}.{form}"
            return send_file(BytesIO(content), kind, as_attachment=True, download_name=name)
    log_disclosure(person.person_id, "account")
    page = render_template("people/subject_access.html", person=person, refusal=refusal)
    return page, 422 if refusal else 200
