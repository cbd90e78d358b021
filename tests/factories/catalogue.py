"""A small published module, straight as rows."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select

from portal.domain.catalogue.models import Activity, GuideVersion, Item, Lesson, ModuleVersion
from portal.platform.db import db, transaction

PUBLISHED = datetime(2026, 1, 5, 9, tzinfo=UTC)
RIGHT = {"single": ["b"], "multiple": ["a", "c"]}
WRONG = {"single": ["a"], "multiple": ["a", "b"]}


def make_version(
    key: str = "protect",
    *,
    title: str = "",
    lessons: int = 2,
    items: int = 6,
    draw: int = 4,
    mastery: str = "0.75",
    at_least: int = 1,
    attempts: int = 0,
    wait_minutes: int = 0,
    pause: tuple[int, int] = (0, 0),  # after so many fails, so many hours
    test_out: bool = False,
    pre_test: bool = False,
    text: str = "",  # HTML of every lesson below its first paragraph
    duties: tuple[tuple[str, ...], ...] = ((),),  # of the items, in turn
    minutes: int = 20,
    lesson_minutes: int = 5,
    practice: tuple[str, ...] = (),  # keys of lessons, such as “lesson-2”
    duty_paths: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (),  # duties, and keys of lessons
    job_aid: str = "<p>Call first.</p>",
) -> int:
    """The next version of a module; every third item is of kind multiple. Returns its id."""
    with transaction():
        activity = _activity(key)
        number = 1 + (
            db.session.scalar(
                select(func.max(ModuleVersion.number)).where(ModuleVersion.activity_id == activity.id)
            )
            or 0
        )
        version = ModuleVersion(
            recorded_at=PUBLISHED,
            activity_id=activity.id,
            number=number,
            digest=f"{key}-{number}",
            title=title or f"{key.capitalize()}: law & people",
            aim="Know the law.",
            owner="Learning and development",
            review_on=date(2027, 5, 31),
            minutes=minutes,
            mastery_score=Decimal(mastery),
            outcomes=[{"key": "one", "text": "Outcome one"}, {"key": "two", "text": "Outcome two"}],
            draw=draw,
            at_least_per_outcome=at_least,
            practice=list(practice),
            duty_paths=[{"for": list(names), "lessons": list(keys)} for names, keys in duty_paths],
            attempts=attempts,
            wait_minutes=wait_minutes,
            pause_after=pause[0],
            pause_hours=pause[1],
            test_out=test_out,
            pre_test=pre_test,
            job_aid_title="First hour",
            job_aid_html=job_aid,
            published_at=PUBLISHED,
        )
        db.session.add(version)
        db.session.flush()
        db.session.add_all(_lesson(version.id, n, lesson_minutes, text) for n in range(1, lessons + 1))
        db.session.add_all(_item(version.id, n, duties[n % len(duties)]) for n in range(1, items + 1))
        return version.id


def right(item: Item) -> list[str]:
    """Keys of the choices that earn the mark."""
    return RIGHT[item.kind]


def make_guide(key: str, *, acknowledge: bool = True) -> int:
    """The first version of a guide. Returns its id."""
    with transaction():
        activity = Activity(recorded_at=PUBLISHED, kind="guide", key=key)
        db.session.add(activity)
        db.session.flush()
        version = GuideVersion(
            recorded_at=PUBLISHED,
            activity_id=activity.id,
            number=1,
            digest=f"{key}-1",
            title=key.capitalize(),
            summary="What to do.",
            owner="Learning and development",
            review_on=date(2027, 5, 31),
            acknowledge=acknowledge,
            html="<p>Call first.</p>",
            words=2,
            published_at=PUBLISHED,
        )
        db.session.add(version)
        db.session.flush()
        return version.id


def _activity(key: str) -> Activity:
    found = db.session.scalar(select(Activity).where(Activity.kind == "module", Activity.key == key))
    if found is None:
        found = Activity(recorded_at=PUBLISHED, kind="module", key=key)
        db.session.add(found)
        db.session.flush()
    return found


def _lesson(version_id: int, number: int, minutes: int, text: str) -> Lesson:
    return Lesson(
        module_version_id=version_id,
        position=number,
        key=f"lesson-{number}",
        title=f"Lesson called {number}",
        minutes=minutes,
        outcomes=["one" if number % 2 else "two"],
        html=f"<p>Text of lesson {number}.</p>{text}",
        words=4,
    )


def _item(version_id: int, number: int, duties: Sequence[str]) -> Item:
    kind = "single" if number % 3 else "multiple"
    return Item(
        module_version_id=version_id,
        position=number,
        key=f"item-{number}",
        outcome="one" if number % 2 else "two",
        kind=kind,
        prompt_html=f"Prompt <em>{number}</em> of v{version_id}?",
        stimulus_html="<p>A van stops.</p>" if number == 1 else None,
        explanation_html=f"<p>Explanation {number}.</p>",
        content={"choices": [_choice(number, key, kind) for key in "abcd"]},
        source=["12"],
        retired=False,
        duties=list(duties),
    )


def _choice(number: int, key: str, kind: str) -> dict[str, Any]:
    return {
        "key": key,
        "html": f"Choice {key} &amp; item {number}",
        "feedback_html": f"<p>Feedback {number}{key}.</p>",
        "correct": key in RIGHT[kind],
    }
