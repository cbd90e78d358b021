"""Making the copy of everything held about a person, audited."""

from datetime import datetime
from typing import Literal

from config import current_settings
from portal.domain.retention.queries import months_by_class
from portal.domain.subject_access.documents import person_json, person_markup
from portal.domain.subject_access.periods import kept_words
from portal.domain.subject_access.person_file import PersonFile, read_person_file
from portal.platform.audit.services import log_file
from portal.platform.documents.typesetting import typeset_pdf
from portal.platform.errors import RuleError
from portal.platform.wording import date, number

Form = Literal["pdf", "json"]
MOST_ENTRIES = 20_000  # of a copy that a page makes while somebody waits


def make_copy(
    person_id: int, form: Form, *, by: int | None, at: datetime, most: int | None = None
) -> tuple[PersonFile, bytes]:
    """Make the copy, and record who had it made; the caller commits before it is handed out.

    Args:
        person_id: Whose.
        form: A readable tagged PDF, or JSON for a program.
        by: Whose account makes it; None for a command.
        at: Now.
        most: Refuse a copy with more entries.

    Raises:
        RuleError: It has more entries.
        TypesettingError: No PDF can be made of it.
    """
    settings = current_settings()
    file = read_person_file(person_id, at)
    if most is not None and file.rows > most:
        raise RuleError(
            f"This copy has {number(file.rows)} entries, too many to make while you wait. An operator of the "
            f"portal can make it: flask people subject-access {file.staff_number} --output FILE"
        )
    kept = kept_words(settings, months_by_class())
    if form == "json":
        content = person_json(file, settings.force_name, kept)
    else:
        content = typeset_pdf(
            person_markup(file, kept),
            title=f"Personal data of {file.name}, {file.staff_number}".rstrip(", "),
            above=f"{settings.force_name}: learning portal",
            foot=f"{settings.force_name}, copy of personal data made on {date(at)}. Confidential",
            author=settings.force_name,
            at=at,
        )
    log_file("subject_access.exported", {person_id}, actor_id=by, subject_id=person_id, format=form)
    return file, content
