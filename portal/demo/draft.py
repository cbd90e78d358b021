"""A draft in work, so that the desk has something to show: an author added one sentence to a lesson."""

from datetime import datetime

from portal.domain.authoring import queries, services
from portal.domain.authoring.editing import lesson
from portal.domain.authoring.editing.lesson import LessonFields
from portal.domain.people.queries import person_by_staff_number

MODULE = "recognise"
PATH = "lessons/who-to-turn-to.md"
BEFORE = "So if you are not sure who should act, ask your supervisor. Do not let the matter drop."
AFTER = (
    "So if you are not sure who should act, ask your supervisor. Write down whom you asked and when."
    " Do not let the matter drop."
)


def create_draft(author: str, *, at: datetime) -> None:
    """Open the draft and save the one change in it.

    Args:
        author: Staff number of who writes.
        at: The instant.
    """
    person_id = person_by_staff_number(author)
    draft_id = services.open_draft(MODULE, by=person_id, at=at)
    files = queries.get_draft(MODULE).files
    content = queries.read_content(files[PATH])
    fields = lesson.read_lesson(content)
    text = LessonFields(fields.title, fields.minutes, fields.outcomes, fields.body.replace(BEFORE, AFTER))
    services.save_files(
        draft_id,
        {PATH: lesson.write_lesson(content, text)},
        expected=files,
        summary=f"“{fields.title}” edited",
        by=person_id,
        at=at,
    )
