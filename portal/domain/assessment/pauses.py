"""When the next attempt may begin after fails: a wait after each, a pause after several. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class WaitRules(Protocol):
    """The rules of a module version."""

    @property
    def wait_minutes(self) -> int:
        """Minutes after each fail."""

    @property
    def pause_after(self) -> int:
        """Number of fails after which there is a pause; 0: none."""

    @property
    def pause_hours(self) -> int:
        """Hours of the pause."""


@dataclass(frozen=True, slots=True)
class Fails:
    """The failed attempts under a registration that is not passed."""

    count: int = 0
    last_at: datetime | None = None  # when the latest was submitted
    helped: bool = False  # somebody has opened an attempt since


def pause_ends_at(rules: WaitRules, fails: Fails) -> datetime | None:
    """Return when the pause after the latest fail ends; None if there is none.

    There is a pause after every ``pause_after`` fails: after the third, the sixth and so on. An attempt that
    is opened for the person ends it.
    """
    is_due = rules.pause_after > 0 and fails.count > 0 and fails.count % rules.pause_after == 0
    if not is_due or fails.helped or fails.last_at is None:
        return None
    return fails.last_at + timedelta(hours=rules.pause_hours)


def attempt_opens_at(rules: WaitRules, fails: Fails) -> datetime | None:
    """Return when the next attempt may begin, after wait and pause; None if it may at once."""
    ends = [pause_ends_at(rules, fails)]
    if fails.last_at is not None and rules.wait_minutes:
        ends.append(fails.last_at + timedelta(minutes=rules.wait_minutes))
    return max((end for end in ends if end is not None), default=None)


def is_paused(rules: WaitRules, fails: Fails, now: datetime) -> bool:
    """Whether a pause is not over, so that somebody may end it."""
    end = pause_ends_at(rules, fails)
    return end is not None and now < end
