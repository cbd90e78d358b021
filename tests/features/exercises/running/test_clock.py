"""The exercise's clock and what is on the screens, whatever is pressed in whatever order."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.features.exercises.run_queries import (
    PastStep,
    Phase,
    holds_already,
    is_allowed,
    read_clock,
    read_progress,
)

BEGUN = datetime(2026, 6, 10, 9, tzinfo=UTC)
SECONDS = st.integers(0, 4000)
KINDS = ("start", "hold", "resume", "plenary", "back", "release", "message", "scribe", "end")
TICK = timedelta(microseconds=1)


def inject(number: int, minute: int | None, syndicates: tuple[int, ...] = ()):
    return {"key": f"i{number}", "minute": minute, "syndicates": list(syndicates)}


INJECTS = [inject(1, 0), inject(2, 10), inject(3, 40, (2,)), inject(4, None)]


def steps_of(*pressed: tuple[float, str]) -> list[PastStep]:
    """Steps at seconds after the beginning, by the machine's clock; their stamps rise whatever it says."""
    steps, stamp = [], BEGUN - timedelta(days=1)
    for number, (seconds, kind) in enumerate(pressed, start=1):
        clock_at = BEGUN + timedelta(seconds=seconds)
        stamp = max(stamp + TICK, clock_at)
        key = "i4" if kind == "release" else ""
        steps.append(PastStep(number, kind, stamp, clock_at, key, by_id=1))
    return steps


def after(seconds: float) -> datetime:
    return BEGUN + timedelta(seconds=seconds)


def test_the_clock_stands_while_held_in_the_plenary_and_at_the_end():
    steps = steps_of(
        (0, "start"), (60, "hold"), (100, "resume"), (130, "plenary"), (200, "back"), (210, "end")
    )
    said = [
        read_clock(steps[:n], after(s)).elapsed.seconds
        for n, s in ((0, 5), (1, 60), (2, 99), (3, 130), (4, 199), (5, 205), (6, 999))
    ]
    assert said == [0, 60, 60, 90, 90, 95, 100]


def test_a_hold_is_still_a_hold_after_the_plenary():
    steps = steps_of((0, "start"), (60, "hold"), (70, "plenary"), (90, "back"))
    reading = read_clock(steps, after(500))
    assert (reading.phase, reading.elapsed.seconds) == (Phase.HELD, 60)


def test_the_clock_releases_at_its_minute_and_not_while_held():
    held = steps_of((0, "start"), (590, "hold"))
    assert list(read_progress(INJECTS, held, after(3000)).releases) == ["i1"]
    resumed = steps_of((0, "start"), (590, "hold"), (1000, "resume"))
    progress = read_progress(INJECTS, resumed, after(1010))
    assert progress.releases["i2"].at == after(1010)
    assert progress.unnoted == ("i1", "i2")


def test_a_noted_release_stays_when_the_clock_is_set_back():
    steps = steps_of((0, "start"), (601, "release"))
    noted = [steps[0], PastStep(2, "release", steps[1].recorded_at, after(601), "i2")]
    progress = read_progress(INJECTS, noted, after(-3600))
    assert set(progress.releases) == {"i1", "i2"}
    assert (progress.clock.elapsed.seconds, progress.clock.is_waiting) == (601, True)
    went_on = [*noted, PastStep(3, "message", noted[1].recorded_at + TICK, after(-3600))]
    reading = read_clock(went_on, after(-3590))
    assert (reading.elapsed.seconds, reading.is_waiting) == (611, False)


def test_an_inject_is_for_its_syndicates_alone():
    progress = read_progress(INJECTS, steps_of((0, "start")), after(2400))
    assert [progress.has_inject(n, INJECTS[2]) for n in (1, 2, 3)] == [False, True, False]
    assert progress.has_inject(1, INJECTS[1])


def test_the_latest_scribe_writes():
    first, second = (
        PastStep(n, "scribe", after(n), after(n), syndicate=1, person_id=person)
        for n, person in ((1, 7), (2, 8))
    )
    assert read_progress(INJECTS, [first, second], after(9)).scribes == {1: 8}


HISTORY = st.lists(st.tuples(SECONDS, st.sampled_from(KINDS)), max_size=12).map(sorted)


@given(HISTORY, SECONDS, SECONDS)
def test_the_clock_never_goes_back_and_never_faster_than_time(history, early, late):
    steps = steps_of(*[(s, k) for s, k in history if s <= min(early, late)])
    one, two = sorted((early, late))
    before, later = (read_clock(steps, after(s)) for s in (one, two))
    assert timedelta(0) <= later.elapsed - before.elapsed <= timedelta(seconds=two - one)


@given(HISTORY, SECONDS)
def test_messages_scribes_and_notes_leave_the_clock_alone(history, now):
    steps = steps_of(*[(s, k) for s, k in history if s <= now])
    bare = [step for step in steps if step.kind not in ("release", "message", "scribe")]
    assert read_clock(steps, after(now)).elapsed == read_clock(bare, after(now)).elapsed


@given(st.lists(st.tuples(st.integers(-4000, 4000), st.sampled_from(KINDS)), max_size=12), SECONDS)
def test_each_step_leaves_the_clock_where_it_was_whatever_the_machine_says(history, now):
    steps = steps_of(*history)
    for count in range(len(steps)):
        at_step = read_clock(steps[: count + 1], steps[count].clock_at).elapsed
        later = read_clock(steps, after(now)).elapsed
        assert at_step <= later


@given(HISTORY, SECONDS)
def test_noting_a_release_changes_no_screen(history, now):
    steps = steps_of(*[(s, k) for s, k in history if s <= now])
    progress = read_progress(INJECTS, steps, after(now))
    stamp = max([after(now), *(step.recorded_at for step in steps)])
    notes = [
        PastStep(100 + n, "release", stamp + n * TICK, after(now), key)
        for n, key in enumerate(progress.unnoted)
    ]
    noted = read_progress(INJECTS, [*steps, *notes], after(now))
    assert set(noted.releases) == set(progress.releases)
    assert noted.unnoted == ()
    assert noted.clock.elapsed == progress.clock.elapsed


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("release", "message", "scribe")])
def test_a_step_is_allowed_or_holds_already_or_is_refused(kind):
    for phase in Phase:
        assert not (is_allowed(kind, phase) and holds_already(kind, phase))
