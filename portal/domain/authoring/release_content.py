"""Publishing of the content that a release brings: modules, and what features add."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from config import current_settings
from portal.domain.catalogue.services import publish_folder
from portal.domain.people.queries import person_by_staff_number, viewer_of
from portal.feature import insert_after
from portal.platform.audit import log
from portal.platform.db import db, stamp
from portal.platform.errors import RuleError
from portal.platform.permissions import Role

Numbers = dict[str, int | None]  # of new versions by their key; None: its bytes are published already


@dataclass(frozen=True, slots=True)
class PublishedPart:
    """What became of one folder of the release."""

    folder: str
    numbers: Numbers
    differing: list[str] = field(default_factory=list)  # where this portal has versions of its own


def publish_release(root: Path, *, author: str, publisher: str, at: datetime) -> list[PublishedPart]:
    """Publish what the release's folders hold and this portal does not have.

    A folder of which something is published with other bytes is left as it is, since the force may have
    changed it: its text never goes back to the release's unasked.

    Args:
        root: The folder that holds the release's folders.
        author: Staff number of the author who answers for the text.
        publisher: Staff number of the publisher, another person.
        at: Now, stored as the time of publishing.

    Raises:
        BadInputError: There are faults; the error lists all of them.
    """
    if author.strip() == publisher.strip():
        raise RuleError("Name two people: whoever publishes is not the author.")
    author_id, by = _find_holder(author, Role.AUTHOR), _find_holder(publisher, Role.PUBLISHER)
    stamp()  # before the part that may be rolled back alone
    parts = [_publish_part(root / folder, publish, at, by) for folder, publish in list_content_folders()]
    new = sum(number is not None for part in parts for number in part.numbers.values())
    if new:
        log("content.published", actor_id=by, subject_id=author_id, number=new)
    return parts


def _find_holder(staff_number: str, role: Role) -> int:
    person_id = person_by_staff_number(staff_number)
    viewer = viewer_of(person_id)
    if viewer is None or not viewer.has_post or role not in viewer.roles:
        raise RuleError(
            f"{staff_number} has not the role {role}, or no post: people grant {staff_number} {role}"
        )
    return person_id


def _publish_part(
    folder: Path, publish: Callable[[Path, datetime, int], Numbers], at: datetime, by: int
) -> PublishedPart:
    with db.session.begin_nested() as part:
        numbers = publish(folder, at, by)
        differing = [key for key, number in numbers.items() if number is not None and number > 1]
        if differing:
            part.rollback()
            return PublishedPart(folder.name, {}, differing)
    return PublishedPart(folder.name, numbers)


def _publish_modules(folder: Path, at: datetime, by: int) -> Numbers:
    done = publish_folder(folder, at=at, by=by)
    versions = [(version.activity.key, version.number) for version in done.versions]
    return {**dict([*done.shared, *versions, *done.guides]), **dict.fromkeys(done.unchanged)}


_CORE_PARTS: dict[str, Callable[[Path, datetime, int], Numbers]] = {
    "modules": _publish_modules,
}


def list_content_folders() -> list[tuple[str, Callable[[Path, datetime, int], Numbers]]]:
    """The folders of the core and of the features that are on, with what publishes each."""
    additions = [
        (folder.after, (folder.name, feature.load(folder.publish)))
        for feature in current_settings().features_on
        for folder in feature.content
    ]
    return insert_after(_CORE_PARTS.items(), additions, lambda part: part[0])
