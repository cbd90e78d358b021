"""The four modules that the portal ships hold what was promised of them."""

from collections import Counter
from pathlib import Path

from sqlalchemy import select

from portal.domain.catalogue import services
from portal.domain.catalogue.models import Item, Lesson
from portal.domain.catalogue.queries import current_version
from portal.platform.db import db, stamp, transaction

MODULES = Path(__file__).resolve().parents[2] / "modules"


def test_a_module_has_lessons_items_of_both_kinds_and_figures(database):
    with transaction():
        services.publish_folder(MODULES, at=stamp())
    for key in ("recognise", "protect", "respond", "report"):
        version = current_version(key)
        assert version is not None
        lessons = db.session.scalars(select(Lesson).where(Lesson.module_version_id == version.id)).all()
        items = db.session.scalars(
            select(Item).where(Item.module_version_id == version.id, Item.retired.is_(False))
        ).all()

        assert 6 <= len(lessons) <= 8
        assert len(items) >= 28
        assert {"single", "multiple", "scenario"} <= {item.kind for item in items}
        covered = Counter(item.outcome for item in items)
        assert all(covered[outcome["key"]] >= 4 for outcome in version.outcomes)
        assert sum("<figure" in lesson.html and "/media/" in lesson.html for lesson in lessons) >= 3
        assert all((MODULES / key / f"lessons/{lesson.key}.md").is_file() for lesson in lessons)
