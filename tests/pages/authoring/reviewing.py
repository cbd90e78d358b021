"""A changed draft between its author and its publisher."""

from typing import Any

import pytest
from sqlalchemy import func, select

from portal.domain.authoring import reviews, services
from portal.domain.catalogue.models import ModuleVersion
from portal.platform import clock
from portal.platform.db import db, stamp, transaction
from tests.domain.catalogue.folders import CHECK
from tests.pages.authoring.desk import make_person_with, publish_sample, rewrite_lesson

BODY = f"## Look\n\nRead that, and act on it.\n\n{CHECK}"


@pytest.fixture
def folder(database, tmp_path):
    return publish_sample(tmp_path)


@pytest.fixture
def author(folder) -> int:
    return make_person_with("D3001", "author")


@pytest.fixture
def publisher(folder) -> int:
    return make_person_with("D3002", "publisher")


@pytest.fixture
def changed(author) -> int:
    with transaction():
        draft_id = services.open_draft("sample", by=author, at=clock.now())
    rewrite_lesson(author, BODY)
    return draft_id


def send_draft(draft_id: int, by: int, note: str = "Clearer.") -> int:
    with transaction():
        return reviews.send_for_review(draft_id, note=note, by=by, at=clock.now())


def publish_sent(review_id: int, by: int) -> ModuleVersion:
    with transaction():
        return reviews.publish_review(review_id, by=by, at=stamp())


def count_rows(model: type[Any]) -> int:
    """How many rows there are."""
    return db.session.scalar(select(func.count()).select_from(model))
