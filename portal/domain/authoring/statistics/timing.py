"""The time that answers take, and passes in a fraction of the time that reading takes. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from portal.domain.content_checks.metrics import WORDS_PER_MINUTE
from portal.domain.item_kinds.base import Content, plain_text

BREAK = timedelta(minutes=10)  # who was away for longer did not think about one question
QUICK = 1 / 3  # of the time that it takes to read the questions
LEAST_PASSES = 10  # below which nothing is said of quick ones, so that nobody is meant


@dataclass(frozen=True, slots=True)
class QuickPasses:
    """How many passes were quicker than reading their questions allows."""

    quick: int
    passes: int


def seconds_by_item(
    attempts: Iterable[tuple[datetime, Sequence[tuple[int, datetime]]]],
) -> dict[int, float]:
    """The median seconds until the first answer to each item, without breaks.

    Args:
        attempts: When each began, and its saved answers in order: the item, and when it was saved.
    """
    seconds = defaultdict[int, list[float]](list)
    for started_at, saves in attempts:
        before, seen = started_at, set[int]()
        for item, saved_at in saves:
            if item not in seen and timedelta(0) <= saved_at - before <= BREAK:
                seconds[item].append((saved_at - before).total_seconds())
            seen.add(item)
            before = saved_at
    return {item: median(each) for item, each in seconds.items()}


def count_quick_passes(passes: Iterable[tuple[timedelta, float]]) -> QuickPasses | None:
    """Count the quick ones; None if there are too few passes.

    Args:
        passes: How long each attempt took, and the seconds that reading its questions takes.
    """
    rows = list(passes)
    if len(rows) < LEAST_PASSES:
        return None
    quick = sum(taken.total_seconds() < QUICK * reading for taken, reading in rows)
    return QuickPasses(quick, len(rows))


def reading_seconds(prompt_html: str, stimulus_html: str | None, content: Content) -> float:
    """The seconds that reading a question takes, at the pace by which lessons are measured."""
    words = sum(len(plain_text(html).split()) for html in (prompt_html, stimulus_html or ""))
    return 60 * (words + _count_words(content)) / WORDS_PER_MINUTE


def _count_words(content: Content) -> int:
    """The words of choices, steps, pairs and options; of a scenario, those of its first scene."""
    rows: list[Any] = [content]
    for name in ("choices", "steps", "pairs", "options", "parts"):
        rows += content.get(name, ())
    for scene in content.get("scenes", ())[:1]:
        rows += [scene, *scene["choices"]]
    names = ("html", "left_html", "incident_html")
    return sum(len(plain_text(row[name]).split()) for row in rows for name in names if row.get(name))
