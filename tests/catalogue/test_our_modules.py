"""The four modules that the portal ships hold what was promised of them."""

from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.catalogue import services
from portal.catalogue.models import Item, Lesson
from portal.catalogue.queries import current_version
from portal.db import db, stamp, transaction

MODULES = Path(__file__).resolve().parents[2] / "modules"


@pytest.mark.parametrize("key", ["recognise", "protect", "respond", "report"])
def test_a_module_has_lessons_items_of_both_kinds_and_a_figure(database, key):
    with transaction():
        services.publish(MODULES, at=stamp())
    version = current_version(key)
    assert version is not None

    lessons = db.session.scalars(select(Lesson).where(Lesson.module_version_id == version.id)).all()
    items = db.session.scalars(
        select(Item).where(Item.module_version_id == version.id, Item.retired.is_(False))
    ).all()

    assert len(lessons) >= 4
    assert len(items) >= 20
    assert {"single", "multiple"} <= {item.kind for item in items}
    covered = Counter(item.outcome for item in items)
    assert all(covered[outcome["key"]] >= 2 for outcome in version.outcomes)
    assert len(items) > version.draw  # so that two attempts differ
    assert any("<figure" in lesson.html and "/media/" in lesson.html for lesson in lessons)
    assert all((MODULES / key / f"lessons/{lesson.key}.md").is_file() for lesson in lessons)
