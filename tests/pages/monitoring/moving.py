"""Moves a person to another post, from a day on or as a correction of the whole post."""

from datetime import date, timedelta
from typing import Any

from sqlalchemy import select

from portal.domain.people.models import Post
from portal.domain.people.positions import is_known_fact
from portal.platform.db import db, stamp, touch, transaction
from tests.pages.monitoring.world import World

SAME = ("person_id", "post_key", "rank_or_grade", "designated_role", "unit_id", "line_manager_id")


def move(world: World, staff_number: str, unit: str, *, on: date, **more: Any) -> None:
    """End the person's main post and begin another in ``unit`` on the day ``on``, as one transfer."""
    with transaction():
        post = _main(world, staff_number)
        same = {name: getattr(post, name) for name in SAME}
        at, last = stamp(), on - timedelta(days=1)
        days = {"valid_from": post.valid_from, "valid_to": last}
        db.session.add(Post(recorded_at=at, replaces_id=post.id, **same, **days))
        db.session.flush()
        begun = {**same, "unit_id": world.units[unit], **more}
        db.session.add(Post(recorded_at=at, valid_from=on, **begun))
        touch(people=[post.person_id])


def correct(world: World, staff_number: str, unit: str, **more: Any) -> None:
    """Record that the person's main post was in ``unit`` from its first day on."""
    with transaction():
        post = _main(world, staff_number)
        same = {name: getattr(post, name) for name in (*SAME, "valid_from", "valid_to")}
        values = {**same, "unit_id": world.units[unit], **more}
        db.session.add(Post(recorded_at=stamp(), replaces_id=post.id, **values))
        touch(people=[post.person_id])


def _main(world: World, staff_number: str) -> Post:
    of_person = (Post.person_id == world.people[staff_number], Post.post_key == "", is_known_fact(Post))
    return db.session.scalars(select(Post).where(*of_person).order_by(Post.valid_from.desc())).first()
